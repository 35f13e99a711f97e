import type { Logger } from 'pino'
import type { Result } from '../../core/shared/result.ts'
import { ok } from '../../core/shared/result.ts'
import { REPORT_EVERY_MS } from '../limits.ts'
import type { Table } from '../table.ts'
import type { Change, FromFollower, Report } from './messages.ts'

/** Times as long as telling took, nothing is told: a tenth of a core at most. */
const REPORT_REST = 9

type FollowingParts = {
  table: Table
  log: Logger
  send(message: FromFollower): void
  /** A change could not be followed: better no connection than one that brings requests to where they may not go any more. */
  onStray(): void
}

/** The side of a process that serves by the routes of another one: follows each change, and tells what it counts. */
export class Following {
  private readonly parts: FollowingParts
  private readonly told = new Map<string, string>()
  private timer: NodeJS.Timeout | undefined

  constructor(parts: FollowingParts) {
    this.parts = parts
  }

  /** Tells its numbers again and again from now on. */
  begin(): void {
    const begin = performance.now()
    this.parts.send({ kind: 'report', report: this.news() })
    const pauseMs = Math.max(REPORT_EVERY_MS, REPORT_REST * (performance.now() - begin))
    this.timer = setTimeout(() => this.begin(), pauseMs)
  }

  /** Tells them a last time. */
  end(): void {
    clearTimeout(this.timer)
    this.parts.send({ kind: 'report', report: this.news() })
  }

  async hear(number: number, change: Change): Promise<void> {
    const { log, send, onStray } = this.parts
    const followed = await this.follow(change)
    if (followed.kind === 'failed' && followed.problem.code === 'ROUTES_NOT_FOLLOWED') return
    if (followed.kind === 'failed') {
      log.error({ problem: followed.problem }, 'a change cannot be followed, connections are closed')
      onStray()
    }
    send({
      kind: 'followed',
      number,
      report: change.kind === 'look' ? this.news(change.service) : this.news(),
    })
  }

  private async follow(change: Change): Promise<Result<void>> {
    const { table } = this.parts
    switch (change.kind) {
      case 'routes':
        return await table.setRoutes(change.routes, change.listening)
      case 'revert':
        return await table.revert(change.service, change.at, () => true)
      case 'finalize':
        return await table.finalize(change.service, change.token)
      case 'look':
        await table.settled
        return ok(undefined)
    }
  }

  /** Of services about which something is new: with a thousand of them, the other process has users to serve. */
  private news(service?: string): Report {
    const { elders, services } = this.parts.table.sight.report(service)
    const changed = Object.entries(services).filter(([name, about]) => {
      const text = JSON.stringify(about)
      if (this.told.get(name) === text) return false
      this.told.set(name, text)
      return true
    })
    return { elders, services: Object.fromEntries(changed) }
  }
}
