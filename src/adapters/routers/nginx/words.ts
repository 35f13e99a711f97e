import { createHash } from 'node:crypto'

/**
 * A value as nginx reads it back unchanged, in quotes. It has no escape for `$`, so a variable that holds one stands for
 * it; what could end a line or a header becomes a blank.
 *
 * @example quoted('5$ "a"') // '"5${sluice_dollar} \\"a\\""'
 */
export function quoted(text: string): string {
  const escaped = text
    .replace(CONTROL, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('$', DOLLAR)
  return `"${escaped}"`
}

/** Must stand in the configuration once. */
export const DOLLAR_VARIABLE = 'geo $sluice_dollar { default "$"; }'
const DOLLAR = `\${sluice_dollar}`
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
const CONTROL = /[\u0000-\u001f\u007f]/g

/** What fits nothing: `(?!)` never does. */
const NOTHING = '(?!)'
/** As in `pattern.ts` of the core: longer values match no pattern. */
const LONGEST_VALUE = 1024

/** A regular expression for just this text, case and all. The tables of nginx compare without case, so they cannot be used. */
export const exactly = (text: string): string => (isBytes(text) ? `^${literal(text)}\\z` : NOTHING)

/**
 * A regular expression for a pattern, in which `*` stands for any characters. The pieces between the stars are looked for
 * from left to right, each once: a group that is never gone back into keeps the work small, whatever the value.
 */
export function fitting(pattern: string): string {
  if (!isBytes(pattern)) return NOTHING
  const pieces = pattern.split('*')
  const [first = '', last = ''] = [pieces[0], pieces.at(-1)]
  if (pieces.length === 1) return exactly(pattern)
  const middle = pieces.slice(1, -1).map((piece) => `(?>.*?${literal(piece)})`)
  return `(?s)^(?=.{0,${LONGEST_VALUE}}\\z)${literal(first)}${middle.join('')}.*${literal(last)}\\z`
}

/** A path that begins with these whole segments, up to the blank behind it. */
export const pathExpression = (path: string): string => {
  if (!isBytes(path)) return NOTHING
  return path === '/' ? '^[^ ]*' : `^${literal(path)}(?:/[^ ]*)?`
}

/**
 * The host of a request as clients write it: in any case, with a dot at its end and a port, or without. A star stands for
 * one label; `null` for any host and for none.
 */
export function hostExpression(host: string | null): string {
  if (host === null) return '[^ ]*'
  const name = host.startsWith('*') ? `[^. ]+${literal(host.slice(1))}` : literal(host)
  return `(?i:${name})\\.?(?::[0-9]{1,5})?`
}

/** The value of the first cookie of this name, as the first group. */
export const cookieNamed = (name: string): string =>
  isBytes(name)
    ? `^(?:(?!\\s*${literal(name)}\\s*=)[^;]*;)*+\\s*${literal(name)}\\s*=[ \\t]*([^;]*?)[ \\t]*(?:;|\\z)`
    : NOTHING

/** All but letters and digits by their number: no sign can mean anything to nginx or to its regular expressions. */
const literal = (text: string): string =>
  text.replace(/[^A-Za-z0-9]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** Headers are bytes, one character each; what is none can be in no header. */
const isBytes = (text: string): boolean => [...text].every((sign) => sign.charCodeAt(0) <= 0xff)

/** A name that nginx accepts, readable, and never that of another text. */
export const nameOf = (text: string): string =>
  `${text.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 40)}_${digestOf(text).slice(0, 8)}`

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** Text that passes through nginx and its log untouched. */
export const packed = (text: string): string => Buffer.from(text).toString('base64url')
export const unpacked = (text: string): string => Buffer.from(text, 'base64url').toString()

/** For a comment: one line, and nothing that a terminal would obey. */
export const comment = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')
