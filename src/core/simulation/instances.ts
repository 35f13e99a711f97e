import type { Instance } from '../shared/instance.ts'

/** From the stop to the end of an instance. */
const STOP_MS = 500
/** An instance that crashed is started again after this, then after twice of it, and so on. */
const BACKOFF_MS = 1000
const LONGEST_BACKOFF_MS = 60_000
/** What ended is shown this long, as on a real host. */
const REMEMBER_MS = 60_000

type Life = {
  stream: string
  /** From start to ready, in ms; `null` never. */
  startMsOf(release: string): number | null
  deadlineMs: number
}

/** Instances that start, become ready, crash, come back and stop in virtual time. */
export class VirtualInstances {
  readonly #life: Life
  #all: Instance[] = []
  #nextId = 1

  constructor(life: Life) {
    this.#life = life
  }

  all(): Instance[] {
    return this.#all
  }

  running(): number {
    return this.#all.filter((one) => !isGoing(one)).length
  }

  readyOf(release: string): number {
    return this.#runningOf(release).filter(({ state }) => state === 'ready').length
  }

  /** So many of them and no others, without those that are named. */
  keep(release: string, wanted: { replicas: number; without: readonly string[] }, now: number): void {
    this.#stop(
      this.#runningOf(release).filter(({ id }) => wanted.without.includes(id)),
      now,
    )
    this.#stop(this.#runningOf(release).slice(wanted.replicas), now)
    const missing = Math.max(0, wanted.replicas - this.#runningOf(release).length)
    for (let count = 0; count < missing; count += 1) this.#all = [...this.#all, this.#started(release, now)]
  }

  stopAll(release: string, now: number): void {
    this.#stop(this.#runningOf(release), now)
  }

  forget(release: string): void {
    this.#all = this.#all.filter((one) => one.release !== release)
  }

  crash(release: string, count: number, now: number): void {
    const alive = this.#runningOf(release).filter(({ state }) => state !== 'crashed')
    this.#change(alive.slice(0, count), ({ crashes }) => ({
      ...{ state: 'crashed', crashes: crashes + 1, pid: null, readyAt: null },
      lastExit: { code: 1, signal: null, cause: 'exited', at: now },
    }))
  }

  tick(now: number): void {
    this.#all = this.#all
      .map((one) => ({ ...one, ...this.#turn(one, now) }))
      .filter((one) => one.state !== 'gone' || now - (one.lastExit?.at ?? 0) < REMEMBER_MS)
  }

  #turn(one: Instance, now: number): Partial<Instance> {
    const sinceMs = now - (one.lastExit?.at ?? 0)
    if (one.state === 'starting') return this.#startingTurn(one, now)
    if (one.state === 'stopping') return sinceMs >= STOP_MS ? { state: 'gone', pid: null } : {}
    if (one.state !== 'crashed') return {}
    const backOffMs = Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** (one.crashes - 1))
    return sinceMs >= backOffMs ? { state: 'starting', startedAt: now, pid: one.port } : {}
  }

  #startingTurn({ release, startedAt }: Instance, now: number): Partial<Instance> {
    const startMs = this.#life.startMsOf(release)
    if (startMs !== null && now - startedAt >= startMs) return { state: 'ready', readyAt: now }
    if (now - startedAt < this.#life.deadlineMs) return {}
    const message = 'it is not ready, as the script says'
    return { state: 'failed', lastProbeFailure: { kind: 'status', message, at: now } }
  }

  #runningOf(release: string): Instance[] {
    return this.#all.filter((one) => one.release === release && !isGoing(one))
  }

  #stop(instances: readonly Instance[], now: number): void {
    this.#change(instances, () => ({
      state: 'stopping',
      lastExit: { code: 0, signal: 'SIGTERM', cause: 'stopped-by-us', at: now },
    }))
  }

  #change(instances: readonly Instance[], to: (one: Instance) => Partial<Instance>): void {
    const ids = new Set(instances.map(({ id }) => id))
    this.#all = this.#all.map((one) => (ids.has(one.id) ? { ...one, ...to(one) } : one))
  }

  #started(release: string, now: number): Instance {
    const number = this.#nextId++
    return {
      ...{ id: `${release}-${number}`, service: this.#life.stream, release, state: 'starting' },
      ...{ host: '127.0.0.1', port: 40_000 + (number % 20_000), pid: 1000 + number, startedAt: now },
      ...{ readyAt: null, crashes: 0, consecutiveProbeFailures: 0, lastProbeFailure: null },
      ...{ lastExit: null, logTail: [] },
    }
  }
}

const isGoing = ({ state }: Instance): boolean => state === 'stopping' || state === 'gone'
