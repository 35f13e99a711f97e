import * as z from 'zod'

/** Nothing new may begin in an environment. `until` is `null` when somebody has to lift it. */
export const Freeze = z.object({
  reason: z.string(),
  who: z.string(),
  since: z.number(),
  until: z.number().nullable(),
})
export type Freeze = z.infer<typeof Freeze>

/** What was said last about an environment. `asOf` grows with each word, so that an older one is known as such. */
export const FreezeState = z.object({
  freeze: Freeze.nullable(),
  asOf: z.number(),
  /** Who said it. */
  by: z.string(),
})
export type FreezeState = z.infer<typeof FreezeState>

/** Nobody ever said anything. */
export const NEVER_FROZEN: FreezeState = { freeze: null, asOf: 0, by: 'nobody' }
