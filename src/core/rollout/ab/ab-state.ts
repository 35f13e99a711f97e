import * as z from 'zod'

const Count = z.int().nonnegative()

/** `variant` is `null` for the control. */
export const ArmSeen = z.object({ variant: z.string().nullable(), users: Count, goals: Count })
export type ArmSeen = z.infer<typeof ArmSeen>

/** What was counted of an A/B test so far; `seen` is the last word of the data plane, which counts anew with each `boot`. */
export const AbState = z.object({
  boot: z.string(),
  at: z.number(),
  seen: z.array(ArmSeen),
  total: z.array(ArmSeen),
})
export type AbState = z.infer<typeof AbState>
