import * as z from 'zod'

/** An instance gets no new requests from the router, because too many in a row failed. Times are ms since the epoch. */
export const Ejection = z.object({
  since: z.number(),
  /** From then on it is tried again, with one request at a time. */
  until: z.number(),
  /** How often it failed in a row: 2 and more when it failed again as soon as it was tried. */
  times: z.int().positive(),
  /** One sentence with the numbers, without a full stop. */
  why: z.string(),
})
export type Ejection = z.infer<typeof Ejection>
