import * as z from 'zod'
import { GaugeState } from '../../analysis/resources/gauge.ts'
import { UseBatch, UseCursor } from '../../analysis/resources/use-batch.ts'
import { HostSums, noHostUse, noUse, UseSums } from '../../analysis/resources/use-sums.ts'

/** What a look at the target adds to what is known of the use of resources. */
export const ObservedUse = z.object({
  /** `null` for the first look, and where it cannot be compared with the last one. */
  batch: UseBatch.nullable(),
  cursor: UseCursor,
})
export type ObservedUse = z.infer<typeof ObservedUse>

/** All that a rollout remembers of what its instances use: a few sums, and the last evaluations of each limit. */
export const ResourceState = z.object({
  /** `null` as long as the target cannot tell. */
  cursor: UseCursor.nullable(),
  /** Without the start of each stage. */
  candidate: UseSums,
  stable: UseSums,
  host: HostSums,
  gauges: z.array(GaugeState),
})
export type ResourceState = z.infer<typeof ResourceState>

export const noResources = (): ResourceState => ({
  cursor: null,
  candidate: noUse(),
  stable: noUse(),
  host: noHostUse(),
  gauges: [],
})
