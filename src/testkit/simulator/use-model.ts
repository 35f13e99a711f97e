import type { Instance } from '../../core/shared/instance.ts'
import type { ReleaseUse, SeenUse } from '../../core/shared/resource-use.ts'

/** What each instance of a release uses. */
export type ModelUse = { cpus: number; memoryBytes: number; diskBytesPerSecond: number }

const LITTLE: ModelUse = { cpus: 0.05, memoryBytes: 50 * 1024 ** 2, diskBytesPerSecond: 0 }
const HOST = { cpus: 2, memoryBytes: 4 * 1024 ** 3 }
type Counters = { cpuMs: number; diskWrittenBytes: number }

/** Counters of use that grow in virtual time. Nothing is told before somebody says what is used. */
export function createUseModel(now: () => number) {
  const uses = new Map<string, ModelUse>()
  const counters = new Map<string, Counters>()
  let diskBusyMs = 0
  let diskPercent: number | null = 10
  let isTelling = true
  let last = now()

  function tick(living: readonly Instance[]): void {
    const ms = Math.max(0, now() - last)
    last = now()
    diskBusyMs += (ms * (diskPercent ?? 0)) / 100
    for (const { release } of living) {
      const use = uses.get(release) ?? LITTLE
      const { cpuMs, diskWrittenBytes } = counters.get(release) ?? { cpuMs: 0, diskWrittenBytes: 0 }
      counters.set(release, {
        cpuMs: cpuMs + use.cpus * ms,
        diskWrittenBytes: diskWrittenBytes + (use.diskBytesPerSecond * ms) / 1000,
      })
    }
  }

  function releaseUse(release: string, counted: Counters, living: readonly Instance[]): ReleaseUse {
    const instances = living.filter((one) => one.release === release).length
    const { memoryBytes } = uses.get(release) ?? LITTLE
    return {
      release,
      instances,
      cpuMs: Math.round(counted.cpuMs),
      memoryBytes: instances * memoryBytes,
      largestMemoryBytes: instances === 0 ? 0 : memoryBytes,
      diskReadBytes: 0,
      diskWrittenBytes: Math.round(counted.diskWrittenBytes),
    }
  }

  return {
    tick,
    set: (release: string, use: Partial<ModelUse>): void => {
      uses.set(release, { ...LITTLE, ...uses.get(release), ...use })
    },
    busyDisk: (percent: number | null): void => {
      diskPercent = percent
    },
    tell: (can: boolean): void => {
      isTelling = can
    },
    seen: (living: readonly Instance[]): SeenUse | undefined =>
      uses.size === 0 || !isTelling
        ? undefined
        : {
            boot: 'target-1',
            measuredAt: now(),
            host: { ...HOST, diskBusyMs: diskPercent === null ? null : Math.round(diskBusyMs) },
            releases: [...counters].map(([release, counted]) => releaseUse(release, counted, living)),
          },
  }
}
