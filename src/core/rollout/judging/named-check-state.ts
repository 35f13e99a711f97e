import * as z from 'zod'

/** What the ready instances of one release say together: one that fails makes it failing. */
export const Standing = z.object({
  state: z.enum(['unknown', 'passing', 'failing']),
  message: z.string().nullable(),
  /** Instances that fail it, and those that were asked. */
  failing: z.int().nonnegative(),
  asked: z.int().nonnegative(),
})
export type Standing = z.infer<typeof Standing>

/** A named check of the candidate beside stable's, as last observed; `null` where nobody is asked. */
export const NamedCheckState = z.object({
  name: z.string(),
  candidate: Standing.nullable(),
  stable: Standing.nullable(),
  /** Stable has instances that come back: it will be asked again. */
  stableReturns: z.boolean(),
})
export type NamedCheckState = z.infer<typeof NamedCheckState>
