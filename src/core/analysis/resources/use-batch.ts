import * as z from 'zod'
import { InstanceResources } from '../../release/settings.ts'
import type { ResourceUse, SeenUse } from '../../shared/resource-use.ts'

const Count = z.int().nonnegative()

/** Where the last look left the counters of the target: by release, two at most, never by instance. */
export const UseCursor = z.object({
  boot: z.string(),
  /** By the clock of the observer, for differences; and by that of whoever decides, to tell what it falls into. */
  at: z.number(),
  seenAt: z.number(),
  diskBusyMs: Count.nullable(),
  releases: z.record(z.string(), z.object({ cpuMs: Count, diskReadBytes: Count, diskWrittenBytes: Count })),
})
export type UseCursor = z.infer<typeof UseCursor>

/** One version between two looks: differences of the counters, and its memory at the second one. */
export const SideUse = z.object({
  instances: z.int().min(1),
  cpuMs: Count,
  diskReadBytes: Count,
  diskWrittenBytes: Count,
  /** Of all instances, and of the largest one. */
  memoryBytes: Count,
  largestMemoryBytes: Count,
  /** What the file says that one instance needs, the base of its percentages; where it says nothing the host is. */
  declared: InstanceResources,
})
export type SideUse = z.infer<typeof SideUse>

/** What was used between two looks; `null` for a version that is not known in both of them. */
export const UseBatch = z.object({
  sinceAt: z.number(),
  ms: z.number().positive(),
  host: z.object({ cpus: z.number().positive(), memoryBytes: Count, diskBusyMs: Count.nullable() }),
  candidate: SideUse.nullable(),
  stable: SideUse.nullable(),
})
export type UseBatch = z.infer<typeof UseBatch>

/** Over less than this the ticks of the system's clock are most of what is seen. */
const SHORTEST_MS = 500

/** Whether enough time has passed between two measurements; of another observer, or after its clock was set, every one is new. */
export const isNewUse = (last: UseCursor | null, { boot, measuredAt }: SeenUse): boolean =>
  last === null || last.boot !== boot || measuredAt < last.at || measuredAt - last.at >= SHORTEST_MS

/** The two versions by release. */
export type UseSides = { candidate: string; stable: string | null }

export const useCursorOf = (use: SeenUse, seenAt: number, of: UseSides): UseCursor => ({
  boot: use.boot,
  at: use.measuredAt,
  seenAt,
  diskBusyMs: use.host.diskBusyMs,
  releases: Object.fromEntries(
    use.releases
      .filter(({ release }) => release === of.candidate || release === of.stable)
      .map(({ release, cpuMs, diskReadBytes, diskWrittenBytes }) => [
        release,
        { cpuMs, diskReadBytes, diskWrittenBytes },
      ]),
  ),
})

type PresentSide = Pick<SideUse, 'instances' | 'memoryBytes' | 'largestMemoryBytes' | 'declared'>
/** What is no difference but as it is at the second look. A batch holds it as well. */
export type PresentUse = {
  host: Pick<UseBatch['host'], 'cpus' | 'memoryBytes'>
  candidate: PresentSide | null
  stable: PresentSide | null
}

export function presentOf(
  { host, releases }: ResourceUse,
  of: UseSides,
  declared: { candidate: InstanceResources; stable: InstanceResources },
): PresentUse {
  const side = (release: string | null, need: InstanceResources): PresentSide | null => {
    const one = releases.find((use) => use.release === release)
    if (one === undefined || one.instances === 0) return null
    const { instances, memoryBytes, largestMemoryBytes } = one
    return { instances, memoryBytes, largestMemoryBytes, declared: need }
  }
  return {
    host,
    candidate: side(of.candidate, declared.candidate),
    stable: side(of.stable, declared.stable),
  }
}

/** `null` where the counters of the two looks have nothing to do with each other: another observer, or a clock that was set. */
export function useBetween(
  last: UseCursor,
  next: UseCursor,
  { of, present }: { of: UseSides; present: PresentUse },
): UseBatch | null {
  const ms = next.at - last.at
  if (last.boot !== next.boot || ms <= 0) return null
  const side = (release: string | null, now: PresentSide | null): SideUse | null => {
    const before = release === null ? undefined : last.releases[release]
    const after = release === null ? undefined : next.releases[release]
    if (now === null || before === undefined || after === undefined) return null
    const grown = {
      cpuMs: after.cpuMs - before.cpuMs,
      diskReadBytes: after.diskReadBytes - before.diskReadBytes,
      diskWrittenBytes: after.diskWrittenBytes - before.diskWrittenBytes,
    }
    if (Object.values(grown).some((difference) => difference < 0)) return null
    const { instances, memoryBytes, largestMemoryBytes, declared } = now
    return { ...grown, instances, memoryBytes, largestMemoryBytes, declared }
  }
  const { cpus, memoryBytes } = present.host
  return {
    sinceAt: last.seenAt,
    ms,
    host: { cpus, memoryBytes, diskBusyMs: grownBy(last.diskBusyMs, next.diskBusyMs) },
    candidate: side(of.candidate, present.candidate),
    stable: side(of.stable, present.stable),
  }
}

const grownBy = (last: number | null, next: number | null): number | null =>
  last === null || next === null || next < last ? null : next - last
