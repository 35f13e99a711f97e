/** One process as it was measured. The counters only grow; a kernel adds what a child used to its parent when that waits for it. */
export type MeasuredProcess = {
  pid: number
  /** In clock ticks since the host was started: together with the pid it names one process for certain. */
  startTicks: number
  parent: number
  ownCpuMs: number
  /** Of the ended children it has waited for, and of theirs. */
  reapedCpuMs: number
  residentBytes: number
  /** Those of such children included. */
  diskReadBytes: number
  diskWrittenBytes: number
}
/** What processes of one instance did counts for `key`, but for what those older than `sinceTicks` did before they were first seen. */
export type MeasuredInstance = { key: string; sinceTicks: number; processes: readonly MeasuredProcess[] }

export type Used = { cpuMs: number; diskReadBytes: number; diskWrittenBytes: number }
/** `owed`: counted as that of a child which is no more, so it is not new where it turns up with the parent. */
type Known = { process: MeasuredProcess; owed: Used }

/** More generations within an instance are nobody's. */
const MOST_GENERATIONS = 64

/**
 * Adds up what processes used: counters that only grow. An ended process keeps what it used until it was last measured,
 * and through its parent also what it used after that. That is lost only where no parent within the instance waits for
 * it: the last second of an instance that ends.
 */
export class UseTally {
  readonly #used = new Map<string, Used>()
  #known: ReadonlyMap<number, Known> = new Map()

  of(key: string): Used {
    return this.#used.get(key) ?? NOTHING
  }
  forget(key: string): void {
    this.#used.delete(key)
  }

  /** Everything that is measured at one time. Zombies belong to it: who is missing has been waited for. */
  add(instances: readonly MeasuredInstance[]): void {
    const now = new Map(instances.flatMap(({ processes }) => processes).map((one) => [one.pid, one]))
    const claims = this.#claims(now)
    const next = new Map<number, Known>()
    for (const { key, sinceTicks, processes } of instances) {
      for (const process of processes) {
        if (next.has(process.pid)) continue
        const known = this.#find(process)
        const before = known?.process ?? (process.startTicks < sinceTicks ? process : null)
        const late = growthOf(process, before)
        const old = paid(late.reaped, known?.owed ?? NOTHING)
        const fresh = paid(old.rest, claims.get(process.pid) ?? NOTHING)
        this.#used.set(key, sum(this.of(key), { ...fresh.rest, cpuMs: fresh.rest.cpuMs + late.ownCpuMs }))
        // The parent may have been measured a moment before it waited: what it owes is due at the next time, and then never again.
        next.set(process.pid, { process: highest(process, before), owed: fresh.unpaid })
      }
    }
    this.#known = next
  }

  /** What was counted of processes that are no more, by the pid of the nearest ancestor that lives: there it will turn up again. */
  #claims(now: ReadonlyMap<number, MeasuredProcess>): Map<number, Used> {
    const claims = new Map<number, Used>()
    for (const { process, owed } of this.#known.values()) {
      if (isSame(now.get(process.pid), process)) continue
      const heir = this.#heirOf(process, now)
      if (heir === null) continue
      const counted = sum(owed, { ...process, cpuMs: process.ownCpuMs + process.reapedCpuMs })
      claims.set(heir, sum(claims.get(heir) ?? NOTHING, counted))
    }
    return claims
  }

  #heirOf(ended: MeasuredProcess, now: ReadonlyMap<number, MeasuredProcess>): number | null {
    let at: MeasuredProcess | undefined = ended
    for (let generation = 0; generation < MOST_GENERATIONS; generation += 1) {
      at = this.#known.get(at.parent)?.process
      if (at === undefined) return null
      if (isSame(now.get(at.pid), at)) return at.pid
    }
    return null
  }

  #find(process: MeasuredProcess): Known | undefined {
    const known = this.#known.get(process.pid)
    return isSame(known?.process, process) ? known : undefined
  }
}

const NOTHING: Used = { cpuMs: 0, diskReadBytes: 0, diskWrittenBytes: 0 }

/** A pid may have been given to another process meanwhile. */
const isSame = (one: MeasuredProcess | undefined, other: MeasuredProcess): boolean =>
  one?.pid === other.pid && one.startTicks === other.startTicks

function growthOf(now: MeasuredProcess, before: MeasuredProcess | null): { ownCpuMs: number; reaped: Used } {
  const grown = (pick: (process: MeasuredProcess) => number): number =>
    Math.max(0, pick(now) - (before === null ? 0 : pick(before)))
  return {
    ownCpuMs: grown(({ ownCpuMs }) => ownCpuMs),
    reaped: {
      cpuMs: grown(({ reapedCpuMs }) => reapedCpuMs),
      diskReadBytes: grown(({ diskReadBytes }) => diskReadBytes),
      diskWrittenBytes: grown(({ diskWrittenBytes }) => diskWrittenBytes),
    },
  }
}

/** A file that could not be read this time counts as zero: its return at the next time is no growth. */
const highest = (now: MeasuredProcess, before: MeasuredProcess | null): MeasuredProcess => ({
  ...now,
  ownCpuMs: Math.max(now.ownCpuMs, before?.ownCpuMs ?? 0),
  reapedCpuMs: Math.max(now.reapedCpuMs, before?.reapedCpuMs ?? 0),
  diskReadBytes: Math.max(now.diskReadBytes, before?.diskReadBytes ?? 0),
  diskWrittenBytes: Math.max(now.diskWrittenBytes, before?.diskWrittenBytes ?? 0),
})

/** What is left of an amount, and of a debt, after the one has paid for the other. */
function paid(amount: Used, debt: Used): { rest: Used; unpaid: Used } {
  return { rest: beyond(amount, debt), unpaid: beyond(debt, amount) }
}

const beyond = (one: Used, other: Used): Used => ({
  cpuMs: Math.max(0, one.cpuMs - other.cpuMs),
  diskReadBytes: Math.max(0, one.diskReadBytes - other.diskReadBytes),
  diskWrittenBytes: Math.max(0, one.diskWrittenBytes - other.diskWrittenBytes),
})

const sum = (one: Used, other: Used): Used => ({
  cpuMs: one.cpuMs + other.cpuMs,
  diskReadBytes: one.diskReadBytes + other.diskReadBytes,
  diskWrittenBytes: one.diskWrittenBytes + other.diskWrittenBytes,
})
