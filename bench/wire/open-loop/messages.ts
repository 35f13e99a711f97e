import * as z from 'zod'

/** One measurement: so many requests at this rate, whatever the answers do. */
export const OpenLoopOrder = z.object({
  port: z.int().positive(),
  ratePerSecond: z.number().positive(),
  requests: z.int().positive(),
})
export type OpenLoopOrder = z.infer<typeof OpenLoopOrder>

export const OpenLoopReply = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('measured'),
    /** When the first request was due, in milliseconds of `process.hrtime`. */
    startMs: z.number(),
    /** For each request, from the time it was due to the last byte of its answer. */
    latenciesMs: z.array(z.number()),
    /** For each request, how long after its time it was written: what the client itself adds to the latency. */
    delaysMs: z.array(z.number()),
    /** Opened in all. More than 32 means that so many requests were under way at once. */
    connections: z.int(),
  }),
  z.object({ kind: z.literal('failed'), why: z.string() }),
])
export type OpenLoopReply = z.infer<typeof OpenLoopReply>

/** What the clock thread needs. `startNs` is of `process.hrtime`, which all threads share. */
export type Beat = { startNs: bigint; intervalMs: number; beats: number }
