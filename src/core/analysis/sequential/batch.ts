import * as z from 'zod'

/**
 * What was counted of one version in one interval: a difference of counters. Fractions are allowed, since some sources
 * extrapolate; beyond the whole numbers that a double holds exactly, a count is a mistake.
 */
const Amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER)

export const RatioSide = z
  .strictObject({ bad: Amount, total: Amount })
  .refine(({ bad, total }) => bad <= total, {
    message: 'holds more bad ones than there are in all',
    path: ['bad'],
  })
export const RateSide = z.strictObject({ events: Amount, exposure: Amount })
export const HistogramSide = z.strictObject({
  counts: z.array(Amount).describe('One count for each bound, and one for what is above the last.'),
})

/** What one version did. */
export const Side = z.union([RatioSide, RateSide, HistogramSide])
export type Side = z.infer<typeof Side>

const batchOf = <T extends z.ZodType>(side: T) => z.strictObject({ candidate: side, stable: side })

export const RatioBatch = batchOf(RatioSide)
export const RateBatch = batchOf(RateSide)
export const HistogramBatch = batchOf(HistogramSide)

/** What both versions did in one interval, at whatever weights. */
export type Batch = { candidate: Side; stable: Side }

/** Both, counted together. Sides of different kinds do not add up. */
export function addSides(a: Side, b: Side): Side {
  if ('bad' in a && 'bad' in b) return { bad: a.bad + b.bad, total: a.total + b.total }
  if ('events' in a && 'events' in b)
    return { events: a.events + b.events, exposure: a.exposure + b.exposure }
  if ('counts' in a && 'counts' in b && a.counts.length === b.counts.length)
    return { counts: a.counts.map((count, index) => count + (b.counts[index] ?? 0)) }
  throw new TypeError('these two sides were not counted in the same way')
}

/** Requests or exposure of a side. */
export function sizeOf(side: Side): number {
  if ('bad' in side) return side.total
  if ('events' in side) return side.exposure
  return side.counts.reduce((sum, count) => sum + count, 0)
}
