import { type Reading, read, refused, shown } from './complaint.ts'
import { checkPlaceholders } from './placeholders.ts'

/** Longer command lines are refused: the kernel would refuse one argument of more than 128 KiB anyway. */
const MAX_COMMAND_LENGTH = 8192

/** What the words of a command may hold. */
type Placeholders = { known: readonly string[]; note: string }

/** Reads `run.command`: a list of words as it is, or one line that is cut into words as a shell would, without a shell. */
export function readCommand(
  input: unknown,
  placeholders: Placeholders = { known: ['port'], note: 'The version is in the variable SLUICE_VERSION.' },
): Reading<string[]> {
  if (typeof input === 'string') return checkWords(splitWords(input), placeholders)
  if (!Array.isArray(input))
    return refused(
      'CONFIG_WRONG_TYPE',
      `is ${shown(input)}, but must be a command line or a list of words`,
      'Write it like this: node server.js --port {{port}}',
    )
  const words = input.filter((word) => typeof word === 'string')
  if (words.length !== input.length)
    return refused(
      'CONFIG_WRONG_TYPE',
      'has a word that is not text',
      'Put quotes around each word of the list.',
    )
  return checkWords(read(words), placeholders)
}

/**
 * Cuts a line into words: spaces separate, single quotes keep everything, double quotes keep spaces, a backslash
 * keeps the next character. What only a shell could do (pipes, `&&`, redirections, variables) is refused.
 */
export function splitWords(line: string): Reading<string[]> {
  if (line.length > MAX_COMMAND_LENGTH)
    return refused(
      'CONFIG_BAD_COMMAND',
      `is longer than ${MAX_COMMAND_LENGTH} characters`,
      'Put the command into a script and start the script.',
    )
  const words: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let index = 0; index < line.length; index += 1) {
    const char = line.charAt(index)
    const next = line.charAt(index + 1)
    if (quote === "'") {
      if (char === "'") quote = null
      else word = `${word ?? ''}${char}`
    } else if (
      char === '\\' &&
      (quote === null || next === '"' || next === '\\' || next === '$' || next === '`')
    ) {
      word = (word ?? '') + next
      index += 1
    } else if (needsShell(line, index, quote)) return shellNeeded(line, index)
    else if (quote === '"') {
      if (char === '"') quote = null
      else word = `${word ?? ''}${char}`
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + char
  }
  if (quote !== null)
    return refused(
      'CONFIG_BAD_COMMAND',
      `has a quote that is never closed: ${shown(line)}`,
      `Add the closing ${quote}, or write the command as a list of words.`,
    )
  if (word !== null) words.push(word)
  return read(words)
}

/** Inside double quotes a shell still replaces `$` and backticks, so that is refused there as well. */
function needsShell(line: string, index: number, quote: '"' | null): boolean {
  const char = line.charAt(index)
  if (char === '`') return true
  if (char === '$') return /[A-Za-z_{(]/.test(line.charAt(index + 1))
  return quote === null && '|&;<>'.includes(char)
}

function shellNeeded(line: string, index: number): Reading<never> {
  const rest = line.slice(index)
  const sign = /^(&&|\|\||>>|\$\(|\$\{?\w*\}?|.)/.exec(rest)?.[0] ?? rest.charAt(0)
  const viaShell = `command: [sh, -c, ${JSON.stringify(line)}]`
  const port = /^\$\{?PORT\b/.test(rest)
    ? 'Write {{port}} instead of the variable, or ask for a shell: '
    : 'Ask for a shell by name: '
  return refused(
    'CONFIG_SHELL_COMMAND',
    `contains ${sign}, which only a shell understands, and no shell is used`,
    `${port}${viaShell}`,
  )
}

function checkWords(words: Reading<string[]>, { known, note }: Placeholders): Reading<string[]> {
  if (words.kind === 'refused') return words
  const [program] = words.value
  if (program === undefined || program.trim() === '')
    return refused(
      'CONFIG_BAD_COMMAND',
      'is empty',
      'Write the command that starts the service, for example: node server.js --port {{port}}',
    )
  const assignment = /^([A-Za-z_]\w*)=/.exec(program)?.[1]
  if (assignment !== undefined)
    return refused(
      'CONFIG_SHELL_COMMAND',
      `begins with the assignment ${assignment}=, which only a shell understands`,
      `Move it to run.env: { ${assignment}: ... }.`,
    )
  if (words.value.some((word) => word.includes('\0')))
    return refused('CONFIG_BAD_COMMAND', 'contains a zero byte', 'Remove it: no program can receive one.')
  const placeholders = checkPlaceholders(words.value.join(' '), known, note)
  return placeholders.kind === 'ok' ? words : placeholders
}
