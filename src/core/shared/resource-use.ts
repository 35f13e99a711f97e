import * as z from 'zod'

const Count = z.int().nonnegative()

/** What the instances of one release used: counters that only grow while the observer runs (`boot`), and present values. */
export const ReleaseUse = z.object({
  release: z.string(),
  /** Instances that were measured now; 0 when all of them ended, their counters stay. */
  instances: Count,
  /** CPU time of all processes of all its instances since the observer began to watch them, ended ones included. */
  cpuMs: Count,
  /** Resident now: of all instances, and of the largest one. */
  memoryBytes: Count,
  largestMemoryBytes: Count,
  /** Read from and written to disks, counted like `cpuMs`; 0 where the observer may not see it. */
  diskReadBytes: Count,
  diskWrittenBytes: Count,
})
export type ReleaseUse = z.infer<typeof ReleaseUse>

/** What the host has; where a limit is set on the observer's own group of processes, that limit. */
export const HostUse = z.object({
  cpus: z.number().positive(),
  memoryBytes: Count,
  /** Time with requests under way on the busiest disk: a counter that only grows; `null` where it is not known. */
  diskBusyMs: Count.nullable(),
})
export type HostUse = z.infer<typeof HostUse>

/** Absent where a target cannot tell. It never stands for "nothing was used". */
export const ResourceUse = z.object({
  /** Up to when the counters are counted. The observer measures about once a second, so an observation is a little younger. */
  measuredAt: z.number(),
  host: HostUse,
  releases: z.array(ReleaseUse),
})
export type ResourceUse = z.infer<typeof ResourceUse>

/** With the run of the observer that counted: another one counts from zero. */
export type SeenUse = ResourceUse & { boot: string }
