import * as z from 'zod'

export const RISK_LEVELS = ['low', 'medium', 'high', 'critical'] as const
export const RiskLevel = z.enum(RISK_LEVELS)
export type RiskLevel = z.infer<typeof RiskLevel>

export const APPLICATIONS = ['e-commerce', 'banking', 'internal', 'batch', 'static', 'unknown'] as const
export const Application = z.enum(APPLICATIONS)
export type Application = z.infer<typeof Application>

/**
 * What people declare about a service. It changes nothing that runs: it is what the risk of a plan is judged by where nothing
 * is measured, and what a strategy is recommended by. What is absent was not declared.
 */
export const RiskSettings = z.object({
  application: Application.exactOptional(),
  /** How long the service may be away; without it what is usual for the application. */
  downtimeMs: z.int().nonnegative().exactOptional(),
  users: z.int().nonnegative().exactOptional(),
  /** Services that need this one. */
  dependents: z.array(z.string()).exactOptional(),
  /** The least that a factor counts of which nothing is known. */
  criticality: RiskLevel.exactOptional(),
  /** Names of what the release brings; another name than that of stable is a change of it. */
  api: z.string().exactOptional(),
  schema: z.string().exactOptional(),
  framework: z.string().exactOptional(),
})
export type RiskSettings = z.infer<typeof RiskSettings>
