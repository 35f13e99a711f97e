import * as z from 'zod'

/** Strategies by the names that people use; the last one is `blueGreen` with `canary` in the file. */
export const RecommendedStrategy = z.enum(['canary', 'rolling', 'blue-green', 'blue-green then canary'])
export type RecommendedStrategy = z.infer<typeof RecommendedStrategy>

/** What strategy fits a plan, and why. The file decides; this only says so where it decides otherwise. */
export const Recommendation = z.object({
  strategy: RecommendedStrategy,
  reasons: z.array(z.string()).min(1),
  /** What the file asks for. */
  used: z.string(),
  differs: z.boolean(),
})
export type Recommendation = z.infer<typeof Recommendation>
