import type * as z from 'zod'
import { SideCounts } from '../../analysis/batch.ts'
import { PairCounts } from '../../shared/traffic-counts.ts'

/** What copies of requests showed so far. Nobody got an answer of the candidate's side. */
export const ShadowState = PairCounts.extend({ candidate: SideCounts, stable: SideCounts })
export type ShadowState = z.infer<typeof ShadowState>
