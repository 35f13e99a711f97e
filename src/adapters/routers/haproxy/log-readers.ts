import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../../ports/log.ts'
import type { Sight } from './drains.ts'
import type { Worker } from './worker.ts'
import { openWorkerLog, type WorkerLog } from './worker-log.ts'

/** In the moment of a reload the socket may lead to the worker of before. */
const FIND_DEADLINE_MS = 2_000
const RETRY_MS = 10
/** How long a worker that has nothing left is kept, so that its last lines are taken and its totals seen. */
const LAST_LINES_MS = 250

export type LogReadersOptions = {
  folder: string
  /** A line of whichever worker. */
  take: (line: string) => void
  log: Log
}

/** Reads the logs of the worker that takes requests and of those of before, until they have told everything. */
export class LogReaders {
  private readonly options: LogReadersOptions
  private readonly logs = new Map<number, WorkerLog>()
  /** Since when a worker of before has nothing left. */
  private readonly idleSince = new Map<number, number>()
  /** Workers whose lines of before are none of ours, or taken already. */
  private readonly known = new Set<number>()
  private isFirst = true
  private isClosed = false
  private isFailing = false
  private turn: Promise<void> = Promise.resolve()

  constructor(options: LogReadersOptions) {
    this.options = options
  }

  /** From now on its lines are taken; all of them, where it was started while we were there. Repeatable. */
  follow(worker: Worker): Promise<void> {
    const done = this.turn.then(() => this.followNow(worker))
    this.turn = done.catch(() => undefined)
    return done
  }

  /** More was told than was taken so far, so what seems to be missing may be on its way. */
  get isBehind(): boolean {
    return [...this.logs.values()].some((log) => log.isBehind())
  }

  /** Somebody waits for the lines. */
  readOn(): void {
    for (const log of this.logs.values()) log.readOn()
  }

  /** Workers of before end once nobody listens: those that have nothing left to tell. */
  async letGo({ current, old }: Sight): Promise<void> {
    const running = new Set([current, ...old].map(({ worker }) => worker.pid))
    for (const pid of this.known) if (!running.has(pid)) this.known.delete(pid)
    for (const { worker } of old) {
      const log = this.logs.get(worker.pid)
      if (log === undefined) continue
      const connections = await worker.connections()
      const now = performance.now()
      if (connections.kind === 'failed' || connections.value > 0) this.idleSince.delete(worker.pid)
      else if (now - this.since(worker.pid, now) >= LAST_LINES_MS && !log.isBehind()) {
        log.close()
        this.forget(worker.pid)
      }
    }
  }

  close(): void {
    this.isClosed = true
    for (const log of this.logs.values()) log.close()
    this.logs.clear()
  }

  private async followNow(worker: Worker): Promise<void> {
    const { pid } = worker
    if (this.isClosed || this.logs.has(pid)) return
    // Who comes last gets the log: lines wait for the slowest reader, and one that stands still would hold up all.
    if (this.isFirst) await worker.endLogReaders()
    const from = this.isFirst || this.known.has(pid) ? 'now' : 'start'
    this.isFirst = false
    const log = await this.find(pid, from)
    this.tell(log !== null)
    if (log === null) return
    this.known.add(pid)
    if (this.isClosed) log.close()
    else this.logs.set(pid, log)
  }

  private async find(pid: number, from: 'start' | 'now'): Promise<WorkerLog | null> {
    const { folder, take } = this.options
    const end = performance.now() + FIND_DEADLINE_MS
    for (;;) {
      const log = await openWorkerLog({ folder, pid, from, take, onEnd: () => this.forget(pid) })
      if (log.kind === 'open') return log
      if (log.kind === 'nobody' || performance.now() > end) return null
      await pause(RETRY_MS)
    }
  }

  private since(pid: number, now: number): number {
    const since = this.idleSince.get(pid) ?? now
    this.idleSince.set(pid, since)
    return since
  }

  private forget(pid: number): void {
    this.logs.delete(pid)
    this.idleSince.delete(pid)
  }

  private tell(isFound: boolean): void {
    if (!isFound && !this.isFailing)
      this.options.log.warn('the log of haproxy cannot be read', { folder: this.options.folder })
    this.isFailing = !isFound
  }
}
