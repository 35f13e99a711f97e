/** What HAProxy answers by itself. In `text` and `remedy`, `%[...]` is filled in for each request where `isFilled` says so. */
export type OwnAnswer = {
  status: number
  code: string
  text: string
  remedy: string
  retryable: boolean
  /** Name and value; of the latter the same is filled in. */
  headers?: readonly (readonly [string, string])[]
  isFilled?: boolean
}

/**
 * A problem as the built-in proxy says it (`src/proxy/refusal.ts`), as the words of `http-request return`.
 *
 * @example answerText({ status: 413, code: 'BODY_TOO_LARGE', text: '...', remedy: '...', retryable: false })
 * // `return status 413 content-type application/problem+json string '{...}'`
 */
export function answerText({
  status,
  code,
  text,
  remedy,
  retryable,
  headers = [],
  isFilled = false,
}: OwnAnswer): string {
  const body = quoted(JSON.stringify({ code, message: text, remedy, retryable }))
  const words = headers.map(([name, value]) => ` hdr ${name} ${value}`).join('')
  return `return status ${status} content-type application/problem+json ${isFilled ? 'lf-string' : 'string'} ${body}${words}`
}

/** What is said as it stands in a text that has `%[...]` elsewhere. */
export const literal = (text: string): string => text.replaceAll('%', '%%')

/** Between single quotes everything is itself, but for the quote; JSON has another way to write it, and for other letters. */
const quoted = (json: string): string =>
  `'${json.replaceAll(/['\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}'`
