import * as z from 'zod'

/** One arm of an A/B test; ratios are against the control. */
export const AbArmView = z.object({
  name: z.string(),
  sharePermille: z.int(),
  /** `null`: the service says who they are, and not how many there are. */
  users: z.int().nullable(),
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
  /** `header x-country is "de"`: who takes part; absent where everybody does. */
  among: z.string().exactOptional(),
  endsAt: z.number().nullable(),
  confidencePercent: z.number(),
  arms: z.array(AbArmView),
  /** How it stands, in one sentence. */
  sentence: z.string(),
})
export type AbView = z.infer<typeof AbView>
