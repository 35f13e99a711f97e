import type { Logger } from 'pino'
import { CLOSE_GRACE_MS, type Limits, REPORT_EVERY_MS } from '../limits.ts'
import type { Service } from '../service.ts'
import type { Table } from '../table.ts'
import { Farewell } from './farewell.ts'
import type { HeirProcess } from './heir-process.ts'
import type { Change, FromHeir, Report } from './messages.ts'

const TICK_MS = 25
/** Times as long as telling took, nothing is told: a tenth of a core at most. */
const REPORT_REST = 9
/** Silent connections of a process that may not wait for them any more are looked at this often. */
const HURRY_MS = 250

export type Leaving = { table: Table; heir: HeirProcess; limits: Limits; log: Logger }

/**
 * The rest of the life of a process that was replaced: it answers what its connections still bring, by the routes of the
 * other one, tells what it counts, and ends with the last connection or when all limits are over.
 */
export class Leave {
  private readonly parts: Leaving
  private readonly since = performance.now()
  private readonly farewells = new WeakMap<Service, Farewell>()
  private readonly told = new Map<string, string>()
  private reportTimer: NodeJS.Timeout | undefined
  private hurryTimer: NodeJS.Timeout | null = null

  constructor(parts: Leaving) {
    this.parts = parts
    parts.heir.onMessage = (message) => void this.hear(message)
    // Nobody tells the routes any more: silent connections may not bring another request.
    parts.heir.onEnd = () => this.hurry()
  }

  /** Resolves when nothing is left. */
  async end(): Promise<void> {
    const { table, heir } = this.parts
    const over = Promise.withResolvers<void>()
    const left = table.giveAway()
    const timer = setInterval(() => this.tick(over.resolve), TICK_MS)
    this.reportAgain()
    await Promise.race([left.then(() => this.untilIdle()), over.promise])
    await table.end()
    clearInterval(timer)
    clearTimeout(this.reportTimer)
    if (this.hurryTimer !== null) clearInterval(this.hurryTimer)
    heir.send({ kind: 'report', report: this.news() })
    await heir.letGo()
  }

  /** Silent connections are not waited for any more. */
  hurry(): void {
    this.parts.table.closeIdle()
    this.hurryTimer ??= setInterval(() => this.parts.table.closeIdle(), HURRY_MS).unref()
  }

  private tick(over: () => void): void {
    const now = performance.now()
    const { table, limits, log } = this.parts
    let longestMs = 0
    for (const service of table.everybody) {
      const drain = service.routes?.drain ?? { requestsMs: 0, websocketsMs: 0 }
      const farewell = this.farewells.get(service) ?? new Farewell(this.since)
      this.farewells.set(service, farewell)
      farewell.tick(now, service.works(), drain)
      longestMs = Math.max(longestMs, drain.requestsMs, drain.websocketsMs)
    }
    // The last request may come at the end of the life of a silent connection.
    if (now - this.since < limits.keepAliveMs + longestMs + 2 * CLOSE_GRACE_MS) return
    log.warn('connections are left after all limits, they are ended')
    over()
  }

  /** What came over connections that are gone may still be under way to an instance; and who served before goes first. */
  private async untilIdle(): Promise<void> {
    const { table } = this.parts
    await table.sight.elder?.end
    while (!table.everybody.every(({ idle }) => idle))
      await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }

  private reportAgain(): void {
    const begin = performance.now()
    this.parts.heir.send({ kind: 'report', report: this.news() })
    const pauseMs = Math.max(REPORT_EVERY_MS, REPORT_REST * (performance.now() - begin))
    this.reportTimer = setTimeout(() => this.reportAgain(), pauseMs)
  }

  /** Of services about which something is new: with a thousand of them, the other process has users to serve. */
  private news(): Report {
    const { elders, services } = this.parts.table.sight.report()
    const changed = Object.entries(services).filter(([name, about]) => {
      const text = JSON.stringify(about)
      if (this.told.get(name) === text) return false
      this.told.set(name, text)
      return true
    })
    return { elders, services: Object.fromEntries(changed) }
  }

  private async hear(message: FromHeir): Promise<void> {
    const { heir, table, log } = this.parts
    if (message.kind === 'leave') {
      void table.sight.elder?.leave()
      this.hurry()
    }
    if (message.kind !== 'change') return
    const followed = await this.follow(message.change)
    if (followed.kind === 'failed' && followed.problem.code === 'ROUTES_NOT_FOLLOWED') return
    if (followed.kind === 'failed') {
      // Better no connection than one that brings requests to where they may not go any more.
      log.error({ problem: followed.problem }, 'a change cannot be followed, connections are closed')
      this.hurry()
    }
    heir.send({ kind: 'followed', number: message.number, report: this.news() })
  }

  private follow(change: Change) {
    const { table } = this.parts
    switch (change.kind) {
      case 'routes':
        return table.setRoutes(change.routes)
      case 'revert':
        return table.revert(change.service, change.at, () => true)
      case 'finalize':
        return table.finalize(change.service, change.token)
    }
  }
}
