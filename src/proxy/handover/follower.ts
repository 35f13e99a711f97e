import type { InstanceTraffic } from '../../core/shared/router-state.ts'
import type { ServiceCounts } from '../../core/shared/traffic-counts.ts'
import { DRAIN_REPORT_MS, FOLLOW_LIMIT_MS, SWEEP_MS } from '../limits.ts'
import type { Channel } from './channel.ts'
import type { Change, HeldCertificate, MetricSums, Report, ToFollower } from './messages.ts'

type FollowerParts = { pid: number; report: Report; hungMs: number; kill?: (pid: number) => void }
type Waiting = { number: number; since: number; tell(followed: boolean): void }

/** Sweeps that are so much apart mean that this process stood still, and not the other one. */
const STALLED_MS = 4 * SWEEP_MS

/**
 * A process beside this one that serves users by the same routes: one that was replaced and still ends what it has, or a
 * worker. Its numbers belong to ours until it is gone, and after: nobody who takes differences may notice that there were
 * two. It follows every change, because its connections bring requests.
 */
export class Follower {
  readonly pid: number
  private readonly channel: Channel<ToFollower>
  private readonly hungMs: number
  private readonly kill: (pid: number) => void
  private report: Report
  private goneAt: number | null = null
  private heardAt = performance.now()
  private sweptAt = performance.now()
  private changes = 0
  private waiting: Waiting[] = []
  private readonly atEnd: (() => void)[] = []

  constructor(channel: Channel<ToFollower>, { pid, report, hungMs, kill = killHard }: FollowerParts) {
    this.channel = channel
    this.pid = pid
    this.report = report
    this.hungMs = hungMs
    this.kill = kill
  }

  get isGone(): boolean {
    return this.goneAt !== null
  }

  /** Those before it. */
  get elders(): number {
    return this.report.elders
  }

  countsOf(service: string): ServiceCounts | null {
    return this.report.services[service]?.counts ?? null
  }

  limitedOf(service: string): { requests: number; rate: number } | null {
    return this.report.services[service]?.limited ?? null
  }

  sumsOf(service: string): MetricSums {
    return this.report.services[service]?.sums ?? {}
  }

  certificateOf(service: string): HeldCertificate | null {
    return this.report.services[service]?.certificate ?? null
  }

  /** What was under way is gone with the process; what its drains had to cut stays told for as long as ours are. */
  trafficOf(service: string): readonly InstanceTraffic[] {
    const told = this.report.services[service]?.instances ?? []
    if (this.goneAt === null) return told
    if (performance.now() - this.goneAt > DRAIN_REPORT_MS) return []
    return told.filter(({ drain }) => drain?.done === true)
  }

  /** Services that it still does something for. */
  get services(): string[] {
    return Object.keys(this.report.services)
  }

  /** Requests of a service that it had when it was heard last. */
  inFlightOf(service: string): number {
    const told = this.report.services[service]?.instances ?? []
    return told.reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  /** The service has no routes any more: one of the same name counts from zero. */
  forget(service: string): void {
    const known = this.report.services[service]
    if (known !== undefined) known.counts = null
  }

  /** Whether it follows the change by now; who is gone need not. */
  async tell(change: Change): Promise<boolean> {
    if (this.isGone) return true
    this.changes += 1
    const number = this.changes
    this.channel.send({ kind: 'change', number, change })
    return await this.untilFollowed(number)
  }

  /** Whether it follows everything that it was told. */
  async follows(): Promise<boolean> {
    return this.isGone || this.waiting.length === 0 || (await this.untilFollowed(this.changes))
  }

  heard(report: Report): void {
    this.heardAt = performance.now()
    this.report = { elders: report.elders, services: { ...this.report.services, ...report.services } }
  }

  followed(number: number): void {
    const done = this.waiting.filter((one) => one.number <= number)
    this.waiting = this.waiting.filter((one) => one.number > number)
    for (const one of done) one.tell(true)
  }

  ended(): void {
    this.goneAt ??= performance.now()
    this.followed(this.changes)
    for (const tell of this.atEnd.splice(0)) tell()
  }

  /** The service ends as a whole: it may not wait for silent connections any more. Resolves when it is gone. */
  async leave(): Promise<void> {
    if (this.isGone) return
    this.channel.send({ kind: 'leave' })
    await this.end
  }

  get end(): Promise<void> {
    return this.isGone ? Promise.resolve() : new Promise((resolve) => this.atEnd.push(resolve))
  }

  /**
   * It tells its numbers again and again. One that has fallen silent serves nobody, and would hold every change up; so would
   * one that speaks and does not follow.
   */
  sweep(now: number): void {
    const stoodStill = now - this.sweptAt > STALLED_MS
    this.sweptAt = now
    // What it said meanwhile has not been heard yet.
    if (stoodStill) this.waitAnew(now)
    const since = this.waiting[0]?.since ?? now
    if (this.isGone || (now - this.heardAt < this.hungMs && now - since < 2 * this.hungMs)) return
    this.waitAnew(now)
    this.kill(this.pid)
  }

  private waitAnew(now: number): void {
    this.heardAt = now
    for (const one of this.waiting) one.since = now
  }

  private untilFollowed(number: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), FOLLOW_LIMIT_MS)
      const tell = (followed: boolean) => {
        clearTimeout(timer)
        resolve(followed)
      }
      this.waiting.push({ number, since: performance.now(), tell })
    })
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself just now, and the channel will say so.
  }
}
