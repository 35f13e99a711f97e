import * as z from 'zod'
import { Participants } from '../shared/side-routes.ts'
import { WeightPermille } from '../shared/weight.ts'

/** What makes a user: a cookie of ours, or what the service itself says about them. */
export const AbUnit = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('own-cookie') }),
  z.object({ kind: z.literal('header'), name: z.string() }),
  z.object({ kind: z.literal('cookie'), name: z.string() }),
])
export type AbUnit = z.infer<typeof AbUnit>

/** A request that counts as a success when it is answered below 400. In the path `*` stands for any characters. */
export const AbGoal = z.object({ method: z.string(), path: z.string() })
export type AbGoal = z.infer<typeof AbGoal>

export const AbVariant = z.object({ name: z.string(), sharePermille: WeightPermille.min(1) })
export type AbVariant = z.infer<typeof AbVariant>

/** Variants of the candidate beside stable, which is the control. */
export const AbTest = z.object({
  by: AbUnit,
  /** Absent: everybody takes part. */
  where: Participants.exactOptional(),
  variants: z.array(AbVariant).min(1),
  forMs: z.int().positive(),
  goal: AbGoal,
  /** After its time: a person decides, or the candidate gets all traffic. */
  atEnd: z.enum(['ask', 'promote']),
  /** Chance that one of the variants is called different although none is. */
  alpha: z.number().min(0.000_001).max(0.5),
})
export type AbTest = z.infer<typeof AbTest>

/** Of all variants together. */
export const shareOf = (variants: readonly AbVariant[]): number =>
  variants.reduce((sum, { sharePermille }) => sum + sharePermille, 0)
