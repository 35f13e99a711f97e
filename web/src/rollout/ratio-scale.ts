/** A ratio that is drawn at the end of the scale; one that is further out stays there. */
const WIDEST = 4

/** Where a ratio stands, in percent from the left: a quarter at 0, once in the middle, four times at 100; `null` is any. */
export function placeOf(ratio: number | null): number {
  if (ratio === null) return 100
  const place = Math.log(Math.max(ratio, 1 / WIDEST)) / Math.log(WIDEST)
  return 50 + 50 * Math.min(1, place)
}
