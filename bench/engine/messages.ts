import * as z from 'zod'

export const StorePlace = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sqlite'), file: z.string() }),
  z.object({ kind: z.literal('postgres'), url: z.string(), schema: z.string() }),
])
export type StorePlace = z.infer<typeof StorePlace>

/** What a controller process is started with. */
export const Setup = z.object({ template: z.string(), streams: z.int(), store: StorePlace })
export type Setup = z.infer<typeof Setup>

export const Order = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('measure'), forMs: z.number() }),
  /** Gives the leases back and ends. */
  z.object({ kind: z.literal('end') }),
])
export type Order = z.infer<typeof Order>

export const Measurement = z.object({
  kind: z.literal('measured'),
  seconds: z.number(),
  cpuCores: z.number(),
  rssMb: z.number(),
  heapMb: z.number(),
  /** What the fakes and the program itself took before the engine began. */
  heapBeforeMb: z.number(),
  commits: z.int(),
  evaluations: z.int(),
  looks: z.int(),
  /** How much later than planned the engine went on after it had waited. */
  tickLagMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  /** How much later than one interval after the last one the counters were read again. */
  evaluationLagMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
})
export type Measurement = z.infer<typeof Measurement>

/** Times are `Date.now()`. */
export const Report = z.discriminatedUnion('kind', [
  /** It has joined the store and claimed what was free. */
  z.object({ kind: z.literal('joined'), at: z.number() }),
  /** All streams were looked at, and what was due for each was done under the new epoch. */
  z.object({ kind: z.literal('working'), at: z.number(), takenAt: z.number() }),
  Measurement,
])
export type Report = z.infer<typeof Report>
