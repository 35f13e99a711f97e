/** A text of a Compose file with its `${NAME}` filled in as far as the file itself says with what. */
export type Filled =
  | { kind: 'text'; text: string; defaultsOf: string[] }
  /** Values that only the shell or a `.env` knows. */
  | { kind: 'open'; names: string[] }
  /** A `$` that begins nothing: Compose refuses the file. */
  | { kind: 'invalid'; at: number }

/** `${A:-${B:-c}}`: defaults hold others; nobody goes deeper on purpose. */
const MAX_NESTED = 8

/**
 * What Compose makes of a text when no variable is set: the default after `:-` or `-`, nothing for `:+` and `+`, and
 * `$$` is a dollar sign.
 *
 * @example interpolate('${HOST:-0.0.0.0}:${PORT}') // { kind: 'open', names: ['PORT'] }
 */
export function interpolate(text: string, nested = 0): Filled {
  const defaultsOf: string[] = []
  const open: string[] = []
  let filled = ''
  let at = 0
  while (at < text.length) {
    const dollar = text.indexOf('$', at)
    if (dollar < 0) break
    filled += text.slice(at, dollar)
    const variable = variableAt(text, dollar)
    if (variable === null || nested > MAX_NESTED) return { kind: 'invalid', at: dollar }
    at = variable.end
    const value = filledBy(variable, nested)
    if (value.kind === 'invalid') return { kind: 'invalid', at: dollar }
    if (value.kind === 'open') open.push(...value.names)
    else {
      filled += value.text
      defaultsOf.push(...value.defaultsOf)
    }
  }
  if (open.length > 0) return { kind: 'open', names: [...new Set(open)] }
  return { kind: 'text', text: filled + text.slice(at), defaultsOf: [...new Set(defaultsOf)] }
}

/** Names of all variables of a text, those in defaults as well. */
export function variablesIn(text: string): string[] {
  const names: string[] = []
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', at)) {
    const variable = variableAt(text, at)
    if (variable === null) break
    if (variable.name !== '') names.push(variable.name, ...variablesIn(variable.word))
    at = variable.end
  }
  return [...new Set(names)]
}

/** `name` is empty for `$$`. `end` is the place after it. */
type Variable = { name: string; sign: string; word: string; end: number }

/** The variable that begins at a dollar sign, or `null` where none does. */
export function variableAt(text: string, dollar: number): Variable | null {
  if (text[dollar + 1] === '$') return { name: '', sign: '$$', word: '', end: dollar + 2 }
  const plain = /^[A-Za-z_]\w*/.exec(text.slice(dollar + 1, dollar + 1 + LONGEST_NAME))?.[0]
  if (plain !== undefined) return { name: plain, sign: '', word: '', end: dollar + 1 + plain.length }
  if (text[dollar + 1] !== '{') return null
  const end = closingBrace(text, dollar + 1)
  if (end === null) return null
  const [, name, sign = '', word = ''] =
    /^([A-Za-z_]\w*)(?:(:-|-|:\?|\?|:\+|\+)(.*))?$/s.exec(text.slice(dollar + 2, end)) ?? []
  return name === undefined ? null : { name, sign, word, end: end + 1 }
}

const LONGEST_NAME = 200

function closingBrace(text: string, from: number): number | null {
  let open = 0
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '{') open += 1
    if (text[at] === '}') open -= 1
    if (open === 0) return at
  }
  return null
}

function filledBy({ name, sign, word }: Variable, nested: number): Filled {
  switch (sign) {
    case '$$':
      return { kind: 'text', text: '$', defaultsOf: [] }
    case ':-':
    case '-':
      return withDefault(name, interpolate(word, nested + 1))
    case ':+':
    case '+':
      return { kind: 'text', text: '', defaultsOf: [name] }
    default:
      return { kind: 'open', names: [name] }
  }
}

const withDefault = (name: string, filled: Filled): Filled =>
  filled.kind === 'text' ? { ...filled, defaultsOf: [name, ...filled.defaultsOf] } : filled
