import * as z from 'zod'

/** One arm of an A/B test; ratios are against the control. */
export const AbArmView = z.object({
  name: z.string(),
  sharePermille: z.int(),
  users: z.int(),
  goals: z.int(),
  verdict: z.enum(['control', 'better', 'worse', 'open']),
  ratio: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  sentence: z.string(),
})
export type AbArmView = z.infer<typeof AbArmView>

export const AbView = z.object({
  goal: z.string(),
  endsAt: z.number().nullable(),
  confidencePercent: z.number(),
  arms: z.array(AbArmView),
  /** How it stands, in one sentence. */
  sentence: z.string(),
})
export type AbView = z.infer<typeof AbView>
