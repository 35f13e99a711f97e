import * as z from 'zod'
import type { SideUse, UseBatch } from './use-batch.ts'

/** CPUs of CPUs, or bytes of bytes. */
export const Amount = z.object({
  used: z.number(),
  of: z.number().positive(),
  /** `of` is what the file declares; otherwise it is what the host has. */
  isDeclared: z.boolean(),
})
export type Amount = z.infer<typeof Amount>

export const percentOf = ({ used, of }: Amount): number => (100 * used) / of

/** CPUs that were kept busy, all instances together. */
export function cpusOf(side: SideUse, { host, ms }: Pick<UseBatch, 'host' | 'ms'>): Amount {
  const { cpus } = side.declared
  const used = side.cpuMs / ms
  return cpus === undefined
    ? { used, of: host.cpus, isDeclared: false }
    : { used, of: cpus * side.instances, isDeclared: true }
}

/** What is declared is a limit of one instance, so the largest one counts; what the host has is there for all of them. */
export function memoryOf(side: SideUse, { host }: Pick<UseBatch, 'host'>): Amount {
  const { memoryBytes } = side.declared
  return memoryBytes === undefined
    ? { used: side.memoryBytes, of: Math.max(1, host.memoryBytes), isDeclared: false }
    : { used: side.largestMemoryBytes, of: memoryBytes, isDeclared: true }
}

/** Bytes read and written by one instance in a second. */
export const diskRateOf = (
  { diskReadBytes, diskWrittenBytes, instances }: SideUse,
  { ms }: Pick<UseBatch, 'ms'>,
): number => (1000 * (diskReadBytes + diskWrittenBytes)) / (instances * ms)

/** Share of the time in which the busiest disk of the host had something to do. */
export const diskBusyPercentOf = ({ host, ms }: Pick<UseBatch, 'host' | 'ms'>): number | null =>
  host.diskBusyMs === null ? null : Math.min(100, (100 * host.diskBusyMs) / ms)
