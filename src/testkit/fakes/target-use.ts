import type { Instance } from '../../core/shared/instance.ts'
import type { ReleaseUse, ResourceUse } from '../../core/shared/resource-use.ts'

/** What a fake instance uses when it starts, and while it runs. */
const START_CPU_MS = 100
const MEMORY_BYTES = 64 * 1024 * 1024
const HOST: ResourceUse['host'] = { cpus: 4, memoryBytes: 8 * 1024 * 1024 * 1024, diskBusyMs: 0 }

export type FakeUse = {
  /** An instance of this release was started. */
  started(release: string): void
  /** From now on this stands there, whatever runs. */
  set(release: string, use: Partial<ReleaseUse>): void
  setHost(host: Partial<ResourceUse['host']>): void
  /** Whether the target can tell at all; it can. */
  setKnown(known: boolean): void
  /** Another observer counts from zero; what was set stays. */
  restart(): void
  /** `instances`: those of one service, ended ones included. */
  of(instances: readonly Instance[], measuredAt: number): ResourceUse | undefined
}

/** Use of resources in memory: it grows with what starts, and is what the test says. */
export function createFakeUse(): FakeUse {
  const starts = new Map<string, number>()
  const said = new Map<string, Partial<ReleaseUse>>()
  let host = HOST
  let isKnown = true
  const useOf = (release: string, instances: readonly Instance[]): ReleaseUse => {
    const running = instances.filter(({ pid }) => pid !== null).length
    return {
      release,
      instances: running,
      cpuMs: (starts.get(release) ?? 0) * START_CPU_MS,
      memoryBytes: running * MEMORY_BYTES,
      largestMemoryBytes: running === 0 ? 0 : MEMORY_BYTES,
      diskReadBytes: 0,
      diskWrittenBytes: 0,
      ...said.get(release),
    }
  }
  return {
    started: (release) => void starts.set(release, (starts.get(release) ?? 0) + 1),
    set: (release, use) => void said.set(release, { ...said.get(release), ...use }),
    setHost: (more) => {
      host = { ...host, ...more }
    },
    setKnown: (known) => {
      isKnown = known
    },
    restart: () => starts.clear(),
    of: (instances, measuredAt) => {
      if (!isKnown) return undefined
      const byRelease = Map.groupBy(instances, ({ release }) => release)
      return { measuredAt, host, releases: [...byRelease].map(([release, own]) => useOf(release, own)) }
    },
  }
}
