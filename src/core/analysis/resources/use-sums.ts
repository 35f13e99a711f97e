import * as z from 'zod'
import { cpusOf, diskBusyPercentOf, diskRateOf, memoryOf, percentOf } from './amount.ts'
import type { SideUse, UseBatch } from './use-batch.ts'

/** What one version used in all intervals together: a few sums, from which means follow, and the highest of each. */
export const UseSums = z.object({
  ms: z.number(),
  /** Requests that came in the same intervals. */
  requests: z.number(),
  cpuMs: z.number(),
  /** Percentages times ms. */
  cpuPercentMs: z.number(),
  highestCpuPercent: z.number(),
  memoryPercentMs: z.number(),
  highestMemoryPercent: z.number(),
  diskReadBytes: z.number(),
  diskWrittenBytes: z.number(),
  /** Bytes per second and instance, times ms. */
  diskRateMs: z.number(),
})
export type UseSums = z.infer<typeof UseSums>

/** The same of the disks of the host. */
export const HostSums = z.object({
  ms: z.number(),
  diskBusyPercentMs: z.number(),
  highestDiskBusyPercent: z.number(),
})
export type HostSums = z.infer<typeof HostSums>

/** Means, highest ones, and rates per second of all instances together. */
export const UseFigures = z.object({
  /** Kept busy, of all there are. */
  cpus: z.number(),
  cpuPercent: z.number(),
  highestCpuPercent: z.number(),
  memoryPercent: z.number(),
  highestMemoryPercent: z.number(),
  diskReadBytesPerSecond: z.number(),
  diskWrittenBytesPerSecond: z.number(),
  /** Read and written by one instance. */
  diskBytesPerInstanceSecond: z.number(),
  requestsPerSecond: z.number(),
})
export type UseFigures = z.infer<typeof UseFigures>

export const noUse = (): UseSums => ({
  ms: 0,
  requests: 0,
  cpuMs: 0,
  cpuPercentMs: 0,
  highestCpuPercent: 0,
  memoryPercentMs: 0,
  highestMemoryPercent: 0,
  diskReadBytes: 0,
  diskWrittenBytes: 0,
  diskRateMs: 0,
})

export const noHostUse = (): HostSums => ({ ms: 0, diskBusyPercentMs: 0, highestDiskBusyPercent: 0 })

/** Adds what a version used in one interval, in which it had so many requests. */
export function addUse(sums: UseSums, side: SideUse | null, batch: UseBatch, requests: number): UseSums {
  if (side === null) return sums
  const cpuPercent = percentOf(cpusOf(side, batch))
  const memoryPercent = percentOf(memoryOf(side, batch))
  return {
    ms: sums.ms + batch.ms,
    requests: sums.requests + requests,
    cpuMs: sums.cpuMs + side.cpuMs,
    cpuPercentMs: sums.cpuPercentMs + cpuPercent * batch.ms,
    highestCpuPercent: Math.max(sums.highestCpuPercent, cpuPercent),
    memoryPercentMs: sums.memoryPercentMs + memoryPercent * batch.ms,
    highestMemoryPercent: Math.max(sums.highestMemoryPercent, memoryPercent),
    diskReadBytes: sums.diskReadBytes + side.diskReadBytes,
    diskWrittenBytes: sums.diskWrittenBytes + side.diskWrittenBytes,
    diskRateMs: sums.diskRateMs + diskRateOf(side, batch) * batch.ms,
  }
}

export function addHostUse(sums: HostSums, batch: UseBatch): HostSums {
  const busyPercent = diskBusyPercentOf(batch)
  if (busyPercent === null) return sums
  return {
    ms: sums.ms + batch.ms,
    diskBusyPercentMs: sums.diskBusyPercentMs + busyPercent * batch.ms,
    highestDiskBusyPercent: Math.max(sums.highestDiskBusyPercent, busyPercent),
  }
}

/** `null` where nothing was measured. */
export function figuresOfUse(sums: UseSums): UseFigures | null {
  if (sums.ms === 0) return null
  const perSecond = (total: number): number => (1000 * total) / sums.ms
  return {
    cpus: sums.cpuMs / sums.ms,
    cpuPercent: sums.cpuPercentMs / sums.ms,
    highestCpuPercent: sums.highestCpuPercent,
    memoryPercent: sums.memoryPercentMs / sums.ms,
    highestMemoryPercent: sums.highestMemoryPercent,
    diskReadBytesPerSecond: perSecond(sums.diskReadBytes),
    diskWrittenBytesPerSecond: perSecond(sums.diskWrittenBytes),
    diskBytesPerInstanceSecond: sums.diskRateMs / sums.ms,
    requestsPerSecond: perSecond(sums.requests),
  }
}

/** Mean share of the time in which the busiest disk of the host had something to do; `null` where that is not known. */
export const diskBusyPercent = ({ ms, diskBusyPercentMs }: HostSums): number | null =>
  ms === 0 ? null : diskBusyPercentMs / ms

/** What is old counts less. */
export const halvedUse = (sums: UseSums): UseSums => ({
  ...sums,
  ms: sums.ms / 2,
  requests: sums.requests / 2,
  cpuMs: sums.cpuMs / 2,
  cpuPercentMs: sums.cpuPercentMs / 2,
  memoryPercentMs: sums.memoryPercentMs / 2,
  diskReadBytes: sums.diskReadBytes / 2,
  diskWrittenBytes: sums.diskWrittenBytes / 2,
  diskRateMs: sums.diskRateMs / 2,
})

export const halvedHostUse = (sums: HostSums): HostSums => ({
  ...sums,
  ms: sums.ms / 2,
  diskBusyPercentMs: sums.diskBusyPercentMs / 2,
})
