/** What Kayenta does to a series of points before it compares it. */

export const NAN_STRATEGIES = ['remove', 'replace'] as const
export type NanStrategy = (typeof NAN_STRATEGIES)[number]

/** `remove` drops points without a value, `replace` takes them for 0. */
export const withoutNan = (points: readonly number[], strategy: NanStrategy): number[] =>
  strategy === 'replace'
    ? points.map((point) => (Number.isNaN(point) ? 0 : point))
    : points.filter((point) => !Number.isNaN(point))

export type Fences = { factor: number; softened: boolean }

/** Drops what lies outside of Tukey's fences; softened fences never drop what lies between the 1st and 99th percentile. */
export function withoutOutliers(points: readonly number[], { factor, softened }: Fences): number[] {
  if (points.length === 0) return []
  const sorted = ascending(points)
  const q1 = percentile(sorted, 25)
  const q3 = percentile(sorted, 75)
  const reach = factor * (q3 - q1)
  const lower = softened ? Math.min(percentile(sorted, 1), q1 - reach) : q1 - reach
  const upper = softened ? Math.max(percentile(sorted, 99), q3 + reach) : q3 + reach
  return points.filter((point) => point >= lower && point <= upper)
}

/** Percentile of type R-7 (linear interpolation between ranks, as spreadsheets do) of sorted points. */
export function percentile(sorted: readonly number[], percent: number): number {
  const rank = ((sorted.length - 1) * percent) / 100
  const below = sorted[Math.floor(rank)] ?? Number.NaN
  const above = sorted[Math.ceil(rank)] ?? Number.NaN
  return below + (rank - Math.floor(rank)) * (above - below)
}

export const mean = (points: readonly number[]): number =>
  points.reduce((sum, point) => sum + point, 0) / points.length

export const ascending = (points: readonly number[]): number[] => [...points].sort((a, b) => a - b)
