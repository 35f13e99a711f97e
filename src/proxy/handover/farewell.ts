import type { DrainLimits } from '../../core/shared/routes.ts'
import { goodByesDue, spreadOf } from '../good-byes.ts'
import { CLOSE_GRACE_MS } from '../limits.ts'
import type { Work } from '../work.ts'

/**
 * Lets one service of a process that was replaced end what it has. Other than in the drain of an instance, kept connections
 * may still bring a request, so each one has its own time: `requestsMs` from its start or from the beginning of the farewell,
 * whichever is later. Long-lived connections are told to leave evenly over `websocketsMs`.
 */
export class Farewell {
  private readonly since: number
  private readonly told = new WeakMap<Work, number>()
  private toldTotal = 0

  constructor(since: number) {
    this.since = since
  }

  /** To be called again and again with everything that is under way. */
  tick(now: number, works: Iterable<Work>, { requestsMs, websocketsMs }: DrainLimits): void {
    const long: Work[] = []
    // What is cut leaves the set that is looked at.
    for (const work of [...works])
      if (work.kind !== 'request') long.push(work)
      else if (now - Math.max(work.startedAt, this.since) > requestsMs) work.cut()
    const sinceMs = now - this.since
    const waiting = long.filter((work) => !this.told.has(work))
    const spreadMs = spreadOf(websocketsMs, CLOSE_GRACE_MS)
    const due = goodByesDue({ sinceMs, spreadMs, told: this.toldTotal, waiting: waiting.length })
    for (const work of waiting.slice(0, due)) {
      this.told.set(work, now)
      this.toldTotal += 1
      work.closeGracefully()
    }
    if (sinceMs <= websocketsMs) return
    for (const work of long) {
      const toldAt = this.told.get(work)
      if (toldAt !== undefined && now - toldAt > CLOSE_GRACE_MS) work.cut()
    }
  }
}
