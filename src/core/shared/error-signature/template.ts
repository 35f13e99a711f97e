/** Longer ones differ in their tails only, and a tail tells little. */
const LONGEST_TEMPLATE = 200
/** What is looked at: a pattern that runs over more would be dear in a storm of errors. */
const LONGEST_TEXT = 2000

/** In this order: a later pattern must not see what an earlier one has replaced. */
const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [/\bey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, '<token>'],
  [/\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s"'<>]+/gi, '<url>'],
  [/[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+/g, '<email>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<n>'],
  [/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z| ?[+-]\d\d:?\d\d)?)?/g, '<time>'],
  [/\b\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d(?:\.\d+)?/g, '<time>'],
  [/\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b/g, '<time>'],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b/g, '<ip>'],
  [/\[?(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?![\w:])\]?(?::\d{1,5})?/gi, '<ip>'],
  [/"[^"]*"/g, '<str>'],
  [/(?<![\w'])'[^']*'(?!\w)/g, '<str>'],
  [/`[^`]*`/g, '<str>'],
  [/\b0x[0-9a-f]+\b/gi, '<n>'],
]
/** A word with a digit in it, or one that can only be hexadecimal. */
const NUMBERED = /[A-Za-z0-9_-]*\d[A-Za-z0-9_-]*(?:\.\d[\w-]*)*|\b[a-f]{8,}\b/g

/** Lists and pairs of ids have any length: `<n>, <n>, <n>` says no more than `<n>`. */
const REPEATED = /(<(?:n|str|ip|time|email|url)>)(?:[ ,;:./|-]{1,3}\1)+/g
const SECRET_PAIR =
  /\b(bearer|password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|authorization)(["']?\s*[=:]\s*|\s+)(?!<)(?:(?:bearer|basic)\s+)?["']?[^\s"',;&]+/gi
/** A word and its value need a sign between them; only after these a blank is enough. */
const BLANK_IS_ENOUGH = /^bearer$/i

/** The values of what looks like a credential, for lines whose secrets nobody declared. */
export const maskCredentials = (text: string): string =>
  text.replace(SECRET_PAIR, (whole: string, name: string, sign: string) =>
    sign.trim() === '' && !BLANK_IS_ENOUGH.test(name) ? whole : `${name}${sign}<secret>`,
  )

/**
 * What stays of a line when everything is taken out that differs from one time to the next. The same error with other
 * numbers, ids, times, names in quotes, addresses or versions gives the same template.
 *
 * @example templateOf('order 4711 of ada@example.com failed after 12ms') // 'order <n> of <email> failed after <n>'
 */
export function templateOf(text: string): string {
  let template = maskCredentials(text.slice(0, LONGEST_TEXT))
  for (const [pattern, placeholder] of PLACEHOLDERS) template = template.replace(pattern, placeholder)
  template = template.replace(NUMBERED, placeholderOf).replace(/\s+/g, ' ').replace(REPEATED, '$1').trim()
  return template.length <= LONGEST_TEMPLATE ? template : template.slice(0, LONGEST_TEMPLATE).toWellFormed()
}

/**
 * A word with a digit in it: a name that ends in a number keeps the name. Numbers and ids are not told apart, because an id
 * may happen to have no letter in it.
 */
function placeholderOf(word: string): string {
  if (/^[0-9a-f]{6,}$/i.test(word)) return '<n>'
  const name = /^(\D*[A-Za-z_-]{2,}|[A-Z])\d+$/.exec(word)?.[1]
  return name === undefined ? '<n>' : `${name}<n>`
}
