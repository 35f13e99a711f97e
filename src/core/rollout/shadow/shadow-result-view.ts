import * as z from 'zod'

/** What copies of requests showed so far. */
export const ShadowView = z.object({
  /** Copies are made at this moment. */
  isOn: z.boolean(),
  sharePermille: z.int(),
  /** Requests of which both answers are known, errors included. */
  pairs: z.int(),
  /** Of these, those that both answered without an error; and of those, the ones that differ. */
  answered: z.int(),
  statusDiffers: z.int(),
  bodyDiffers: z.int(),
  /** Bodies that were to be compared and could not be. */
  bodyUnknown: z.int(),
  errors: z.object({ candidate: z.int(), stable: z.int() }),
  p95Ms: z.object({ candidate: z.number().nullable(), stable: z.number().nullable() }),
  /** Requests that were due to be copied and were not, and copies that say nothing. */
  skipped: z.object({ busy: z.int(), large: z.int(), unfinished: z.int() }),
  sentence: z.string(),
})
export type ShadowView = z.infer<typeof ShadowView>
