import * as z from 'zod'
import { RiskLevel } from '../../release/risk-settings.ts'

/** One side of the risk: how bad, whether anything is known of it, and what it is judged by, in plain words. */
export const RiskFactor = z.object({
  name: z.enum(['scope of change', 'blast radius', 'way back', 'timing']),
  level: RiskLevel,
  /** Nothing is known of it: it counts as what was declared, or as what is said in the evidence. */
  known: z.boolean(),
  evidence: z.array(z.string()).min(1),
})
export type RiskFactor = z.infer<typeof RiskFactor>

/** How much can go wrong with a plan, and by what that was judged. Nothing is done otherwise because of it. */
export const RiskAssessment = z.object({
  level: RiskLevel,
  /** One sentence: the level, and the factors that made it. */
  sentence: z.string(),
  factors: z.array(RiskFactor),
  /** What the way back is expected to take; `null` where there is none. */
  rollback: z.object({ forecastMs: z.number().nullable(), text: z.string(), raises: z.boolean() }),
})
export type RiskAssessment = z.infer<typeof RiskAssessment>
