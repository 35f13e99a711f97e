import type { Logger } from 'pino'
import { CLOSE_GRACE_MS, type Limits } from '../limits.ts'
import type { Service } from '../service.ts'
import type { Table } from '../table.ts'
import { Farewell } from './farewell.ts'

const TICK_MS = 25
/** Silent connections of a process that may not wait for them any more are looked at this often. */
const HURRY_MS = 250

/** Other processes that leave together with this one. */
export type Companions = { farewell(): Promise<void>; hurry(): void; kill(): Promise<void> }

export type Leaving = { table: Table; limits: Limits; log: Logger; companions: Companions | null }

/**
 * The rest of the life of a process that does not accept any more: it answers what its connections still bring, by the routes
 * of the one that does, and ends with the last connection or when all limits are over.
 */
export class Leave {
  private readonly parts: Leaving
  private readonly since = performance.now()
  private readonly farewells = new WeakMap<Service, Farewell>()
  private hurryTimer: NodeJS.Timeout | null = null

  constructor(parts: Leaving) {
    this.parts = parts
  }

  /** Resolves when nothing is left. */
  async end(): Promise<void> {
    const { table, companions } = this.parts
    const over = Promise.withResolvers<void>()
    const left = Promise.all([table.giveAway(), companions?.farewell()])
    const timer = setInterval(() => this.tick(over.resolve), TICK_MS)
    await Promise.race([left.then(() => this.untilIdle()), over.promise])
    await Promise.all([table.end(), companions?.kill()])
    clearInterval(timer)
    if (this.hurryTimer !== null) clearInterval(this.hurryTimer)
  }

  /** Silent connections are not waited for any more. */
  hurry(): void {
    const { table, companions } = this.parts
    table.closeIdle()
    companions?.hurry()
    this.hurryTimer ??= setInterval(() => table.closeIdle(), HURRY_MS).unref()
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
}
