import type { Ejection } from '../core/shared/ejection.ts'
import type { OutlierPolicy } from '../core/shared/request-policy.ts'
import type { Work } from './work.ts'

/** What went wrong with a request, as far as its instance is to blame. */
export type InstanceFailure = '5xx' | 'reset' | 'time-out' | 'connect failure'

/** An instance as far as it can be left out. `ejected` is written here alone. */
export type Member = { readonly works: ReadonlySet<Pick<Work, 'kind'>>; ejected: Ejection | null }

/** So many answers in a row bring an instance back that is tried again. */
const TRIAL_PASSES = 3
/** However often it failed: longer than this nobody waits for an instance that may be well. */
const LONGEST_MS = 300_000

type Streak = Map<InstanceFailure, number>
/** `until` is monotonic; `passes` counts what it answered since. */
type Away = { until: number; passes: number; times: number }
type Clocks = { now(): number; wallNow(): number }

/**
 * Which instances of one release are left out, by what users got from them. Never the last one, and never more than a
 * share of them: then they keep their requests, and the errors stay to be seen.
 */
export class Outliers<T extends Member> {
  ejections = 0
  private readonly policy: OutlierPolicy
  private readonly clocks: Clocks
  private members: readonly T[] = []
  private readonly streaks = new Map<T, Streak>()
  private readonly away = new Map<T, Away>()
  /** Of those that came back: how often they had been out, which time in service pays off. */
  private readonly past = new WeakMap<T, { times: number; backSince: number }>()

  constructor(policy: OutlierPolicy, clocks: Clocks) {
    this.policy = policy
    this.clocks = clocks
  }

  /** These are the active instances from now on. Who is not among them is forgotten. */
  take(members: readonly T[]): void {
    this.members = members
    for (const one of this.streaks.keys()) if (!members.includes(one)) this.streaks.delete(one)
    for (const one of [...this.away.keys()]) if (!members.includes(one)) this.bringBack(one)
    while (this.away.size > this.allowed) {
      const [soonest] = [...this.away].sort(([, a], [, b]) => a.until - b.until)
      if (soonest === undefined) return
      this.bringBack(soonest[0])
    }
  }

  /** Takes everybody back, because nobody is left out any more. */
  end(): void {
    for (const one of [...this.away.keys()]) this.bringBack(one)
  }

  /** The instances that get requests: the same array as long as nobody is left out. */
  get open(): readonly T[] {
    return this.away.size === 0 ? this.members : this.members.filter((one) => !this.away.has(one))
  }

  get isAnyAway(): boolean {
    return this.away.size > 0
  }

  /** One that was out long enough and has no request now: it is tried with one at a time. */
  onTrial(tried: readonly T[] | null): T | null {
    const now = this.clocks.now()
    for (const [one, { until }] of this.away)
      if (now >= until && !tried?.includes(one) && isFree(one)) return one
    return null
  }

  /** The instance answered, and with less than 500. `true` when this brought it back. */
  passed(one: T): boolean {
    if (this.streaks.size > 0) this.streaks.delete(one)
    const away = this.away.get(one)
    // Before its time is over that was a request from before.
    if (away === undefined || this.clocks.now() < away.until) return false
    away.passes += 1
    if (away.passes < TRIAL_PASSES) return false
    this.bringBack(one)
    return true
  }

  /** The instance failed a request. `true` when it is left out from now on. */
  failed(one: T, failure: InstanceFailure): boolean {
    const away = this.away.get(one)
    if (away !== undefined) {
      if (this.clocks.now() >= away.until)
        this.eject(one, away.times + 1, `tried again, and failed: ${failure}`)
      return false
    }
    if (!this.members.includes(one)) return false
    const streak = this.streaks.get(one) ?? new Map<InstanceFailure, number>()
    streak.set(failure, (streak.get(failure) ?? 0) + 1)
    this.streaks.set(one, streak)
    if (lengthOf(streak) < this.policy.failures || this.away.size >= this.allowed) return false
    this.streaks.delete(one)
    this.eject(one, this.timesBefore(one) + 1, whyOf(streak))
    return true
  }

  /** How many may be out at a time: one in any case, and the last one never. */
  private get allowed(): number {
    const { length } = this.members
    return Math.min(length - 1, Math.max(1, Math.floor((length * this.policy.maxPercent) / 100)))
  }

  private eject(one: T, times: number, why: string): void {
    const lastsMs = Math.min(LONGEST_MS, this.policy.forMs * times)
    const at = this.clocks.wallNow()
    this.ejections += 1
    this.away.set(one, { until: this.clocks.now() + lastsMs, passes: 0, times })
    one.ejected = { since: one.ejected?.since ?? at, until: at + lastsMs, times, why }
  }

  private bringBack(one: T): void {
    const away = this.away.get(one)
    this.away.delete(one)
    one.ejected = null
    if (away !== undefined) this.past.set(one, { times: away.times, backSince: this.clocks.now() })
  }

  /** Each while in service that is as long as a first ejection takes one off. */
  private timesBefore(one: T): number {
    const past = this.past.get(one)
    if (past === undefined) return 0
    const paidOff = Math.floor((this.clocks.now() - past.backSince) / this.policy.forMs)
    return Math.max(0, past.times - paidOff)
  }
}

/** What lives long tells nothing about the next request. */
function isFree({ works }: Member): boolean {
  for (const { kind } of works) if (kind === 'request') return false
  return true
}

const lengthOf = (streak: Streak): number => [...streak.values()].reduce((sum, count) => sum + count, 0)

/** `5 requests in a row failed: 3 × 5xx, 2 × reset`. */
function whyOf(streak: Streak): string {
  const length = lengthOf(streak)
  const kinds = [...streak].map(([kind, count]) => `${count} × ${kind}`).join(', ')
  return `${length === 1 ? '1 request' : `${length} requests in a row`} failed: ${kinds}`
}
