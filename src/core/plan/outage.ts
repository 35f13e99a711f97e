import * as z from 'zod'

/** How long nobody is served, by plan. */
export const Outage = z.object({
  /** By what was measured; 0 where nothing was. */
  expectedMs: z.number(),
  /** All limits one after the other: drain, stop, start and checks. */
  atMostMs: z.number(),
  text: z.string(),
})
export type Outage = z.infer<typeof Outage>
