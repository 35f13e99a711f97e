import type { Complaint } from './complaint.ts'
import type { ConfigProblem, Position } from './config-problem.ts'
import { configProblem } from './config-problem.ts'
import { readEnvValue, VARIABLE_NAME } from './scalars.ts'

/** One variable of an env file and where its value stands. */
export type EnvVariable = { name: string; value: string; at: Position }
export type EnvFileContent = { variables: EnvVariable[]; problems: ConfigProblem[] }

/**
 * Reads `NAME=value` lines. Strict where tools differ: what another one would read otherwise is refused, never guessed.
 * `shown` is the path as it stands in the configuration, for messages.
 *
 * @example parseEnvFile('common.env', 'LOG_LEVEL=info # comment\nGREETING="hi\\n"')
 */
export function parseEnvFile(shown: string, text: string): EnvFileContent {
  const variables = new Map<string, EnvVariable>()
  const problems: ConfigProblem[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const read = readLine(line.replace(/\r$/, ''))
    if (read.kind === 'nothing') continue
    const at = { line: index + 1, column: read.column }
    const before = read.kind === 'variable' ? variables.get(read.name) : undefined
    if (read.kind === 'refused') problems.push(configProblem(shown, at, read.complaint))
    else if (before !== undefined)
      problems.push(configProblem(shown, at, setTwice(read.name, before.at.line)))
    else variables.set(read.name, { name: read.name, value: read.value, at })
  }
  return { variables: [...variables.values()], problems }
}

type LineRead =
  | { kind: 'nothing' }
  | { kind: 'variable'; name: string; value: string; column: number }
  | { kind: 'refused'; column: number; complaint: Complaint }

const syntax = (message: string, remedy: string): Complaint => ({
  code: 'CONFIG_ENV_FILE_SYNTAX',
  message,
  remedy,
})
const refuse = (column: number, complaint: Complaint): LineRead => ({ kind: 'refused', column, complaint })

function readLine(line: string): LineRead {
  const zero = line.indexOf('\0')
  if (zero >= 0) return refuse(zero + 1, ZERO_BYTE)
  const start = line.length - line.trimStart().length
  if (start === line.length || line[start] === '#') return { kind: 'nothing' }
  const equals = line.indexOf('=', start)
  if (equals < 0) return refuse(start + 1, NO_EQUALS)
  const name = line.slice(start, equals)
  if (/^export\s/.test(name)) return refuse(start + 1, EXPORT)
  if (!VARIABLE_NAME.test(name.trimEnd())) return refuse(start + 1, BAD_NAME)
  const isSpaced = name !== name.trimEnd() || /^[ \t]+[^ \t#]/.test(line.slice(equals + 1))
  if (isSpaced) return refuse(equals + 1, SPACE_BESIDE_EQUALS)
  return readValue(name, line, equals + 1)
}

function readValue(name: string, line: string, from: number): LineRead {
  const column = from + 1
  const written = line.slice(from)
  const quote = written[0]
  const reading =
    quote === "'" ? singleQuoted(written) : quote === '"' ? doubleQuoted(written) : unquoted(written)
  if (reading.kind === 'refused') return refuse(column, reading.complaint)
  const checked = readEnvValue(reading.value)
  return checked.kind === 'ok'
    ? { kind: 'variable', name, value: checked.value, column }
    : refuse(column, { ...checked.complaint, message: `${name} ${checked.complaint.message}` })
}

type ValueRead = { kind: 'value'; value: string } | { kind: 'refused'; complaint: Complaint }
const no = (complaint: Complaint): ValueRead => ({ kind: 'refused', complaint })

/** Up to the end of the line, or to a comment, which needs a space before it. */
function unquoted(written: string): ValueRead {
  const value = written.replace(/(^|[ \t])#.*$/, '').trim()
  if (/\$\{?[A-Za-z_]/.test(value)) return no(INTERPOLATION)
  return { kind: 'value', value }
}

/** Everything as it stands. */
function singleQuoted(written: string): ValueRead {
  const end = written.indexOf("'", 1)
  if (end < 0) return no(OPEN_QUOTE)
  return isRestEmpty(written.slice(end + 1))
    ? { kind: 'value', value: written.slice(1, end) }
    : no(AFTER_QUOTE)
}

const ESCAPES: Partial<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"', $: '$' }

function doubleQuoted(written: string): ValueRead {
  let value = ''
  for (let index = 1; index < written.length; index += 1) {
    const char = written[index] ?? ''
    if (char === '"')
      return isRestEmpty(written.slice(index + 1)) ? { kind: 'value', value } : no(AFTER_QUOTE)
    if (char === '$' && /^\$\{?[A-Za-z_]/.test(written.slice(index))) return no(INTERPOLATION)
    if (char !== '\\') {
      value += char
      continue
    }
    index += 1
    const escaped = ESCAPES[written[index] ?? '']
    if (escaped === undefined) return no(unknownEscape(written.slice(index - 1, index + 1)))
    value += escaped
  }
  return no(OPEN_QUOTE)
}

const isRestEmpty = (rest: string): boolean => /^[ \t]*(?:[ \t]#.*)?$/.test(rest)

const ZERO_BYTE = {
  code: 'CONFIG_ENV_FILE_BINARY',
  message: 'there is a zero byte here',
  remedy: 'Name a text file with NAME=value lines: no variable can hold a zero byte.',
}
const NO_EQUALS = syntax('the line is not NAME=value', 'Write NAME=value, or # before a comment.')
const EXPORT = syntax('the line begins with export', 'Remove the word: write NAME=value.')
const BAD_NAME = syntax(
  'the name of the variable is not possible',
  'Use letters, digits and underscores, for example LOG_LEVEL=info.',
)
const SPACE_BESIDE_EQUALS = syntax(
  'there is a space beside the equals sign',
  'Write NAME=value without it. A value that begins with a space needs quotes: NAME=" value".',
)
const OPEN_QUOTE = syntax(
  'the quote is not closed on this line',
  'Close it. A line break inside double quotes is written \\n.',
)
const AFTER_QUOTE = syntax(
  'something stands after the closing quote',
  'Put the whole value into the quotes; a comment needs a space before its #.',
)
const INTERPOLATION = syntax(
  'the value has a $NAME, which is not replaced here',
  "Write the value out. To keep it as it is, put it into single quotes: NAME='$OTHER'.",
)
const unknownEscape = (text: string): Complaint =>
  syntax(
    `${JSON.stringify(text)} is not known in double quotes`,
    'Known are \\n, \\r, \\t, \\\\, \\" and \\$. In single quotes everything stays as it is.',
  )
const setTwice = (name: string, line: number): Complaint =>
  syntax(`${name} is set in line ${line} already`, 'Remove one of the two.')
