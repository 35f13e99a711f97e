import type { RequestMatch } from '../../../core/shared/side-routes.ts'

/** Names of headers and cookies as HTTP knows them (RFC 9110, 5.6.2): nothing that could mean something in a configuration. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Of these, `#` begins a comment, quotes quote, and `$` may name a variable. */
const UNSAFE = /[#$'`"\\]/
/** As in `pattern.ts`: work on values from outside must stay small. */
const LONGEST_VALUE = 1024

/** Why HAProxy cannot look for it, or `null`. */
export const whyNot = ({ in: place, name }: RequestMatch): string | null => whyNotNamed(place, name)

export function whyNotNamed(place: RequestMatch['in'], name: string): string | null {
  if (TOKEN.test(name) && !UNSAFE.test(name)) return null
  return `The name of a ${place} may hold letters, digits and . _ - + * ! % & ^ | ~ only, not ${JSON.stringify(name)}.`
}

/**
 * The condition of one rule. Values are compared as hexadecimal digits of their bytes, so that no value can mean anything in
 * a configuration file. A header or cookie that stands several times says two things at once and matches nothing.
 *
 * @example conditionOf({ kind: 'exact', in: 'header', name: 'x-team', value: 'qa' })
 * // '{ req.fhdr_cnt(x-team) eq 1 } { req.fhdr(x-team),hex -m str 7161 }'
 */
export function conditionOf(match: RequestMatch): string {
  const fetch = match.in === 'header' ? 'fhdr' : 'cook'
  const value = `req.${fetch}(${match.name})`
  const once = `{ req.${fetch}_cnt(${match.name}) eq 1 }`
  return `${once} ${match.kind === 'exact' ? exactly(value, match.value) : valueFits(value, match.pattern)}`
}

/** Whether something of a request fits a pattern, in which `*` stands for any characters. */
export const valueFits = (value: string, pattern: string): string =>
  pattern.includes('*')
    ? `{ ${value},length le ${LONGEST_VALUE} } { ${value},hex -m reg ${regexOf(pattern)} }`
    : exactly(value, pattern)

/** An empty value has no digits, and an empty pattern would match nothing at all. */
const exactly = (value: string, wanted: string): string =>
  wanted === ''
    ? `{ ${value},length eq 0 }`
    : isBytes(wanted)
      ? `{ ${value},hex -m str ${hexOf(wanted)} }`
      : NEVER

const NEVER = '{ always_false }'

/**
 * Pieces between the stars are found from left to right, each once: an atomic group (`(?>...)`) never gives back what it
 * found, so that no value makes the search slow. A star stands for whole bytes, two digits each.
 */
function regexOf(pattern: string): string {
  if (!isBytes(pattern)) return '^(?!)'
  const pieces = pattern.split('*').map(hexOf)
  const [first = '', last = ''] = [pieces[0], pieces.at(-1)]
  const between = pieces.slice(1, -1).flatMap((piece) => (piece === '' ? [] : `(?>(?:..)*?${piece})`))
  return `^${first}${between.join('')}(?:..)*${last}$`
}

/** What stands in a header are bytes; Node reads each as one character, and so does the built-in proxy. */
export const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex').toUpperCase()
export const isBytes = (text: string): boolean =>
  [...text].every((char) => (char.codePointAt(0) ?? 0) <= 0xff)
