import type { Seen, Sight } from './drains.ts'
import type { ToldRequest } from './log-line.ts'

type Server = { total: number; base: number }
type Worker = {
  servers: Map<string, Server>
  /** Attempts that lines told of, by service. */
  told: Map<string, number>
}

/** Of workers that ended this many are remembered; what they had is no longer asked for. */
const WORKERS = 16

/**
 * What HAProxy itself counted, held against what its log told. A request that is over and whose line never came is missing.
 * A line may be on its way while HAProxy is looked at: what is missing at two looks, one after the other, is missing.
 */
export class Totals {
  private readonly workers = new Map<number, Worker>()
  private readonly last = new Map<string, number>()
  private readonly confirmed = new Map<string, number>()
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
    for (const frontend of this.frontends()) {
      const missing = this.missingNow(frontend)
      const sure = Math.min(missing, this.last.get(frontend) ?? 0)
      this.last.set(frontend, missing)
      this.confirmed.set(frontend, Math.max(sure, this.confirmed.get(frontend) ?? 0))
    }
  }

  missing(frontend: string): number {
    return this.confirmed.get(frontend) ?? 0
  }

  /** What a worker had before we listened was told to somebody else. */
  private seeWorker({ worker: { pid }, stats }: Seen): void {
    const { servers, told } = this.workerOf(pid)
    for (const { backend, name, current, total } of stats.servers) {
      const over = Math.max(0, total - current)
      const key = `${backend}/${name}`
      const server = servers.get(key) ?? { total: over, base: this.isFirst ? over : 0 }
      server.total = Math.max(over, server.total)
      servers.set(key, server)
    }
    if (this.isFirst) told.clear()
  }

  private missingNow(frontend: string): number {
    let missing = 0
    for (const { servers, told } of this.workers.values()) {
      let over = 0
      for (const [key, { total, base }] of servers) if (key.startsWith(`${frontend}_`)) over += total - base
      missing += Math.max(0, over - (told.get(frontend) ?? 0))
    }
    return missing
  }

  private frontends(): Set<string> {
    const all = [...this.workers.values()].flatMap(({ servers }) => [...servers.keys()])
    return new Set(all.map((key) => key.slice(0, key.indexOf('_'))))
  }

  private workerOf(pid: number): Worker {
    const known = this.workers.get(pid)
    if (known !== undefined) return known
    const worker = { servers: new Map(), told: new Map() }
    this.workers.set(pid, worker)
    for (const old of this.workers.keys()) if (this.workers.size > WORKERS) this.workers.delete(old)
    return worker
  }
}
