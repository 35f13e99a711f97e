const BARS = '▁▂▃▄▅▆▇█'

/** How many values a spark shows: one column each. */
export const SPARK_VALUES = 20

/** A steady value is no wall of full bars: the highest one leaves this much air above it. */
const HEADROOM = 1.4

/** The last values as bars from zero on; nothing before there are two to compare. */
export function spark(values: readonly number[], columns = SPARK_VALUES): string {
  const shown = values.slice(-columns)
  if (shown.length < 2) return ''
  const top = Math.max(0, ...shown) * HEADROOM
  const level = (value: number): number =>
    top === 0 ? 0 : Math.round((Math.max(0, value) / top) * (BARS.length - 1))
  return shown.map((value) => BARS[level(value)]).join('')
}

/**
 * A curve against a limit, which is the top: a full bar has reached it, all others are below. A long curve is drawn with
 * the highest value of each stretch.
 */
export function sparkAgainst(values: readonly number[], limit: number, columns = SPARK_VALUES): string {
  const width = Math.min(columns, values.length)
  return Array.from({ length: width }, (_, column) => {
    const stretch = values.slice(
      Math.floor((column * values.length) / width),
      Math.floor(((column + 1) * values.length) / width),
    )
    const highest = stretch.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
    if (highest >= limit) return BARS.at(-1)
    return BARS[Math.max(0, Math.floor((highest / limit) * (BARS.length - 1)))]
  }).join('')
}

/** The number at the start of a value as shown (`0.42%`, `1,200 ms`); `null` when there is none. */
export function numberIn(text: string): number | null {
  const found = /-?\d[\d,]*(?:\.\d+)?/.exec(text)
  return found === null ? null : Number(found[0].replaceAll(',', ''))
}
