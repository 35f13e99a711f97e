import * as z from 'zod'
import { WeightPermille } from '../shared/weight.ts'

/** What was live when a rollout began: what "as before" means. The id of a release stands for its bytes and settings. */
export const Snapshot = z.object({
  stable: z.object({ release: z.string(), version: z.string() }).nullable(),
  /** As the router last confirmed them; `null` while nothing was confirmed. */
  weights: z.record(z.string(), WeightPermille).nullable(),
  sets: z.array(
    z.object({ release: z.string(), version: z.string(), role: z.string(), wanted: z.int(), ready: z.int() }),
  ),
})
export type Snapshot = z.infer<typeof Snapshot>
