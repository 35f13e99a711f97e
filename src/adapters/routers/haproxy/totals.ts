import type { Seen, Sight } from './drains.ts'
import type { ToldRequest } from './log-line.ts'

type Worker = {
  /** Attempts that are over, by server. */
  servers: Map<string, number>
  /** What was told to nobody of ours, by service: it was before we listened. */
  base: Map<string, number>
  /** Attempts that lines told of, by service. */
  told: Map<string, number>
}

/** Attempts of one worker for one service, as its own counters have them. */
export type Over = { pid: number; frontend: string; attempts: number }

/** Of workers that ended this many are remembered; what they had is no longer asked for. */
const WORKERS = 16

/**
 * What HAProxy itself counted, held against what its log told. A request that is over and whose line never came is missing.
 * A line may be on its way while HAProxy is looked at: so what was over at one moment is held against what was told later.
 */
export class Totals {
  private readonly workers = new Map<number, Worker>()
  private isFirst = true

  told({
    pid,
    frontend,
    server,
    retries,
  }: Pick<ToldRequest, 'pid' | 'frontend' | 'server' | 'retries'>): void {
    const { told } = this.workerOf(pid)
    // Each attempt was counted by the server that it went to.
    told.set(frontend, (told.get(frontend) ?? 0) + retries + (server === null ? 0 : 1))
  }

  see({ current, old }: Sight): void {
    for (const seen of [current, ...old]) this.seeWorker(seen)
    this.isFirst = false
  }

  /** What is over at this moment, by service and worker. */
  over(): Over[] {
    return [...this.workers].flatMap(([pid, { servers, base }]) => {
      const all = new Map<string, number>()
      for (const [key, total] of servers) all.set(frontendIn(key), (all.get(frontendIn(key)) ?? 0) + total)
      return [...all].map(([frontend, total]) => ({
        pid,
        frontend,
        attempts: total - (base.get(frontend) ?? 0),
      }))
    })
  }

  /** Of what was over then, so much was told by no line until now. */
  missing(over: readonly Over[]): Map<string, number> {
    const missing = new Map<string, number>()
    for (const { pid, frontend, attempts } of over) {
      const told = this.workers.get(pid)?.told.get(frontend) ?? 0
      missing.set(frontend, (missing.get(frontend) ?? 0) + Math.max(0, attempts - told))
    }
    return missing
  }

  private seeWorker({ worker: { pid }, stats }: Seen): void {
    const worker = this.workerOf(pid)
    const { servers, base } = worker
    for (const { backend, name, current, total } of stats.servers) {
      const key = `${backend}/${name}`
      servers.set(key, Math.max(total - current, servers.get(key) ?? 0))
      // The line of a request may come before HAProxy has it for over, and what runs may end in any moment.
      if (this.isFirst) base.set(frontendIn(key), (base.get(frontendIn(key)) ?? 0) + total)
    }
    if (!this.isFirst) return
    for (const [frontend, count] of worker.told) {
      const before = base.get(frontend)
      if (before !== undefined) base.set(frontend, Math.max(0, before - count))
    }
  }

  private workerOf(pid: number): Worker {
    const known = this.workers.get(pid)
    if (known !== undefined) return known
    const worker = { servers: new Map(), base: new Map(), told: new Map() }
    this.workers.set(pid, worker)
    for (const old of this.workers.keys()) if (this.workers.size > WORKERS) this.workers.delete(old)
    return worker
  }
}

/** The service of a server: `s1` of `s1_0/i9`. */
const frontendIn = (key: string): string => key.slice(0, key.indexOf('_'))
