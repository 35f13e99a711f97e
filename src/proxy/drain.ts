import type { CutRequest, InstanceTraffic } from '../core/shared/router-state.ts'
import type { DrainLimits } from '../core/shared/routes.ts'
import { goodByesDue, spreadOf } from './good-byes.ts'
import { CLOSE_GRACE_MS, CUT_LIST } from './limits.ts'
import type { Work } from './work.ts'

type DrainReport = NonNullable<InstanceTraffic['drain']>

/** Good-byes to long-lived connections are said at most this often. */
const TICK_MS = 25

/**
 * Lets an instance finish what it has. Requests may run on for `requestsMs`; long-lived connections are closed
 * gracefully, spread evenly over `websocketsMs`; what is left then is cut and named in the report.
 */
export class Drain {
  private readonly works: ReadonlySet<Work>
  private readonly waiting: (() => void)[] = []
  private readonly startedAt = performance.now()
  private readonly spreadMs: number
  private readonly cutList: CutRequest[] = []
  private readonly timers: NodeJS.Timeout[]
  private readonly told = new WeakSet<Work>()
  private toldTotal = 0
  private cutTotal = 0
  private tookMs: number | null = null

  constructor(works: ReadonlySet<Work>, limits: DrainLimits) {
    this.works = works
    this.spreadMs = spreadOf(limits.websocketsMs, CLOSE_GRACE_MS)
    this.timers = [
      setTimeout(() => this.cut((work) => work.kind === 'request'), limits.requestsMs),
      setTimeout(() => this.cut((work) => work.kind !== 'request'), limits.websocketsMs),
      setInterval(() => this.tick(), TICK_MS),
    ]
    this.check()
  }

  get done(): boolean {
    return this.tookMs !== null
  }

  report(): DrainReport {
    const sinceMs = Math.round(this.tookMs ?? performance.now() - this.startedAt)
    return { done: this.done, sinceMs, cut: this.cutList, cutTotal: this.cutTotal }
  }

  /** To be called whenever work has left. */
  check(): void {
    if (this.done || this.works.size > 0) return
    this.tookMs = performance.now() - this.startedAt
    this.cancel()
    for (const tell of this.waiting.splice(0)) tell()
  }

  /** Calls back when nothing is left, at once when that is so already. */
  onceDone(tell: () => void): void {
    if (this.done) tell()
    else this.waiting.push(tell)
  }

  cancel(): void {
    for (const timer of this.timers) clearTimeout(timer)
  }

  /** Says as many good-byes as are due by now. What became long-lived after the time was over leaves at once. */
  private tick(): void {
    const waiting = [...this.works].filter((work) => work.kind !== 'request' && !this.told.has(work))
    const sinceMs = performance.now() - this.startedAt
    const { spreadMs, toldTotal: told } = this
    for (const work of waiting.slice(0, goodByesDue({ sinceMs, spreadMs, told, waiting: waiting.length }))) {
      this.told.add(work)
      this.toldTotal += 1
      work.closeGracefully()
    }
  }

  private cut(chosen: (work: Work) => boolean): void {
    for (const work of [...this.works].filter(chosen)) {
      // Whoever was told to go and has not gone yet was not surprised: that is an end, not a cut.
      if (this.told.has(work)) {
        work.cut()
        continue
      }
      this.cutTotal += 1
      const ageMs = Math.round(performance.now() - work.startedAt)
      if (this.cutList.length < CUT_LIST) this.cutList.push({ route: work.route, kind: work.kind, ageMs })
      work.cut()
    }
    this.check()
  }
}
