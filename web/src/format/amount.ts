/** What is not known is never shown as a zero. */
export const UNKNOWN = '–'

/** `250` -> `25%`, `5` -> `0.5%`. */
export const formatWeight = (permille: number | null): string =>
  permille === null ? UNKNOWN : `${permille / 10}%`

const COUNT = new Intl.NumberFormat('en-US')

/** `12412` -> `12,412`. */
export const formatCount = (count: number | null): string => (count === null ? UNKNOWN : COUNT.format(count))

/** `1` -> `1 request`, `12412` -> `12,412 requests`. */
export const formatNoun = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`

/** Two or three significant digits, as a chart's legend needs them: `0.034`, `3.4`, `34`, `1,234`. */
export function formatMeasure(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 100) return COUNT.format(Math.round(value))
  const digits = size >= 10 ? 1 : size >= 1 ? 2 : 3
  return String(Number(value.toFixed(digits)))
}
