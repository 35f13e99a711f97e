import type { ReleaseUse, ResourceUse } from '../../core/shared/resource-use.ts'
import type { InstanceRecord, ProcessIdentity } from '../instance-record.ts'
import { parseStat } from '../processes/process-stat.ts'
import {
  type CountedRow,
  countedProcesses,
  descendantsOf,
  familyOf,
  readProc,
} from '../processes/process-table.ts'
import { busiestSince, type DiskBusy, readDisks } from './disks.ts'
import { readHostLimits } from './host-limits.ts'
import { type KernelUnits, readKernelUnits } from './kernel-units.ts'
import { parseIo } from './process-io.ts'
import { type MeasuredProcess, UseTally } from './use-tally.ts'

/** Soon enough for the shortest step, seldom enough to cost nothing. */
const EVERY_MS = 1000
/** On a host with very many processes a look takes longer; then there are fewer, so that they take half a percent of a core at most. */
const PAUSE_PER_LOOK = 200
/** Releases of a service whose counters go on when they come back. The oldest that nothing is left of are forgotten. */
const REMEMBERED_RELEASES = 20

type Present = { instances: number; memoryBytes: number; largestMemoryBytes: number }
type Running = { record: InstanceRecord; leader: ProcessIdentity }
type SetName = { service: string; release: string }

/**
 * Measures what instances use: one pass over /proc about once a second while something runs, none otherwise. Linux only;
 * elsewhere there is nothing to tell, and nothing is told. What disks did for processes of other users cannot be read
 * and counts as 0. Memory is the sum of resident sets, so what processes share counts for each of them.
 */
export class UseSampler {
  readonly #tally = new UseTally()
  /** By service and release; the order is that of the last time they were there. */
  readonly #sets = new Map<string, SetName>()
  readonly #adoptedSince = new Map<string, number>()
  readonly #units: KernelUnits
  readonly #sinceTicks: number
  #present = new Map<string, Present>()
  #disks: DiskBusy = new Map()
  #host: ResourceUse['host'] | null = null
  #measuredAt = 0
  #dueAt = Number.NEGATIVE_INFINITY

  constructor() {
    this.#units = readKernelUnits()
    this.#sinceTicks = parseStat(readProc('self/stat') ?? '')?.startTicks ?? 0
  }

  /** Called again and again; measures when it is time. */
  turn(instances: readonly InstanceRecord[], now: number): void {
    const begun = performance.now()
    if (process.platform !== 'linux' || begun < this.#dueAt) return
    this.#dueAt = begun + EVERY_MS
    const running = instances.flatMap((record) =>
      record.process === null ? [] : { record, leader: record.process },
    )
    this.#lookAtHost(running.length > 0)
    this.#lookAtProcesses(running)
    this.#remember(instances)
    this.#measuredAt = now
    this.#dueAt = begun + Math.max(EVERY_MS, (performance.now() - begun) * PAUSE_PER_LOOK)
  }

  /** Of the releases that have instances, ended ones included; `undefined` where this host cannot tell. */
  useOf(service: string, instances: readonly InstanceRecord[]): ResourceUse | undefined {
    if (this.#host === null) return undefined
    const releases = new Set(instances.filter((one) => one.service === service).map(({ release }) => release))
    return {
      measuredAt: this.#measuredAt,
      host: this.#host,
      releases: [...releases].map((release) => this.#useOfRelease({ service, release })),
    }
  }

  #useOfRelease(set: SetName): ReleaseUse {
    const key = keyOf(set)
    const { cpuMs, diskReadBytes, diskWrittenBytes } = this.#tally.of(key)
    return {
      release: set.release,
      ...(this.#present.get(key) ?? NOBODY),
      cpuMs: Math.round(cpuMs),
      diskReadBytes,
      diskWrittenBytes,
    }
  }

  /** What disks did while nothing ran belongs to no measured time. */
  #lookAtHost(somethingRuns: boolean): void {
    if (!somethingRuns) this.#disks = new Map()
    if (!somethingRuns && this.#host !== null) return
    const disks = readDisks()
    const busyMs = (this.#host?.diskBusyMs ?? 0) + busiestSince(this.#disks, disks)
    const isKnown = disks.size > 0 || (this.#host?.diskBusyMs ?? null) !== null
    this.#disks = disks
    this.#host = { ...readHostLimits(), diskBusyMs: isKnown ? busyMs : null }
  }

  #lookAtProcesses(running: readonly Running[]): void {
    const rows = running.length === 0 ? [] : countedProcesses()
    const measured = running.map(({ record, leader }) => {
      const processes = processesOf(record, leader, rows).map(({ stat }) => measuredFrom(stat, this.#units))
      return { key: keyOf(record), sinceTicks: this.#sinceOf(record, processes), processes }
    })
    this.#tally.add(measured)
    this.#present = new Map()
    for (const { key, processes } of measured) {
      const residentBytes = processes.reduce((sum, one) => sum + one.residentBytes, 0)
      if (residentBytes > 0) this.#present.set(key, withOne(this.#present.get(key), residentBytes))
    }
  }

  /** An own process was started by this agent, or was there before it; of an adopted one counts what comes after the first look. */
  #sinceOf({ id, adopted }: InstanceRecord, processes: readonly MeasuredProcess[]): number {
    if (!adopted) return this.#sinceTicks
    const since =
      this.#adoptedSince.get(id) ?? 1 + Math.max(0, ...processes.map(({ startTicks }) => startTicks))
    this.#adoptedSince.set(id, since)
    return since
  }

  #remember(instances: readonly InstanceRecord[]): void {
    const ids = new Set(instances.map(({ id }) => id))
    for (const id of this.#adoptedSince.keys()) if (!ids.has(id)) this.#adoptedSince.delete(id)
    for (const { service, release } of instances) {
      const key = keyOf({ service, release })
      this.#sets.delete(key)
      this.#sets.set(key, { service, release })
    }
    const inUse = new Set(instances.map(keyOf))
    for (const [service, sets] of Map.groupBy(this.#sets.values(), (set) => set.service)) {
      const oldest = sets.slice(0, Math.max(0, sets.length - REMEMBERED_RELEASES))
      for (const { release } of oldest) this.#forget(keyOf({ service, release }), inUse)
    }
  }

  #forget(key: string, inUse: ReadonlySet<string>): void {
    if (inUse.has(key)) return
    this.#sets.delete(key)
    this.#tally.forget(key)
  }
}

const NOBODY: Present = { instances: 0, memoryBytes: 0, largestMemoryBytes: 0 }

const withOne = (present: Present = NOBODY, residentBytes: number): Present => ({
  instances: present.instances + 1,
  memoryBytes: present.memoryBytes + residentBytes,
  largestMemoryBytes: Math.max(present.largestMemoryBytes, residentBytes),
})

/** In a container all descend from the first one; programs that somebody else has the engine run there do not count. */
function processesOf(
  { adopted, container }: InstanceRecord,
  leader: ProcessIdentity,
  rows: readonly CountedRow[],
): CountedRow[] {
  if (!adopted && container === null) return familyOf(leader, rows)
  const isThere = rows.some(({ pid, startTime }) => pid === leader.pid && startTime === leader.startTime)
  return isThere ? descendantsOf(leader.pid, rows) : []
}

function measuredFrom(stat: CountedRow['stat'], { ticksPerSecond, pageBytes }: KernelUnits): MeasuredProcess {
  const io = parseIo(readProc(`${stat.pid}/io`) ?? '')
  return {
    pid: stat.pid,
    startTicks: stat.startTicks,
    parent: stat.parent,
    ownCpuMs: (stat.ownTicks * 1000) / ticksPerSecond,
    reapedCpuMs: (stat.reapedTicks * 1000) / ticksPerSecond,
    residentBytes: stat.residentPages * pageBytes,
    diskReadBytes: io?.readBytes ?? 0,
    diskWrittenBytes: io?.writtenBytes ?? 0,
  }
}

const keyOf = ({ service, release }: SetName): string => JSON.stringify([service, release])
