import type { Logger } from 'pino'
import { VERSION } from '../../telemetry/version.ts'
import { Follower } from '../handover/follower.ts'
import type { DoorAddress } from '../handover/messages.ts'
import { HUNG_WORKER_MS, type Limits, WORKER_PAUSE_MS, WORKER_SOUND_MS, WORKER_START_MS } from '../limits.ts'
import type { Table } from '../table.ts'
import { Guests } from './guests.ts'
import type { FromWorker } from './messages.ts'
import type { WorkerRecords } from './records.ts'
import { launchWorker, type WorkerEnd, type WorkerLine } from './worker-process.ts'

export type PostParts = {
  table: Pick<Table, 'whenStill' | 'doors' | 'sight' | 'admissionOf'>
  folder: string
  limits: Limits
  trustForwarded: boolean
  log: Logger
  records: Pick<WorkerRecords, 'add' | 'remove'>
  launch?: typeof launchWorker
}

/** The place of one worker: whoever dies there is replaced, with the routes in force then, until nobody is wanted any more. */
export class Post {
  private readonly parts: PostParts
  private worker: WorkerLine | null = null
  private follower: Follower | null = null
  private isReady = false
  private isOver = false
  private wanted: DoorAddress[] = []
  private readonly guests: Guests
  private startedAt = 0
  private failures = 0
  private timer: NodeJS.Timeout | undefined
  private empty = Promise.withResolvers<void>()
  private bugsOfPast = 0
  private bugsNow = 0

  constructor(parts: PostParts) {
    this.parts = parts
    this.guests = new Guests((service) => parts.table.admissionOf(service))
  }

  /** Of the worker, once it serves. */
  get pid(): number | null {
    return this.isReady ? (this.worker?.pid ?? null) : null
  }

  /** Bugs that workers here met and survived. */
  get bugs(): number {
    return this.bugsOfPast + this.bugsNow
  }

  fill(): void {
    if (this.isOver) return
    this.startedAt = performance.now()
    this.empty = Promise.withResolvers<void>()
    const worker = (this.parts.launch ?? launchWorker)(this.parts.folder, {
      onMessage: (message) => this.hear(worker, message),
      onNonsense: () => this.end(worker, 'a worker is not understood'),
      onEnd: (end) => this.ended(worker, end),
    })
    this.worker = worker
    this.timer = setTimeout(() => this.end(worker, 'a worker was not ready in time'), WORKER_START_MS)
  }

  /** Sockets that the worker asked for and that are open by now. */
  lend(): void {
    if (this.wanted.length === 0) return
    const { doors } = this.parts.table
    this.wanted = this.wanted.filter(({ host, port }) => {
      const door = doors.find(({ at }) => at.host === host && at.port === port)
      if (door !== undefined) this.worker?.send({ kind: 'door', at: door.at }, door.listener.socket)
      return door === undefined
    })
  }

  /** Nobody is wanted here any more. Resolves when nobody is here. */
  async leave(how: 'farewell' | 'stop'): Promise<void> {
    this.isOver = true
    clearTimeout(this.timer)
    if (this.worker === null) return
    // From its beginning on it may have requests.
    if (this.follower !== null) this.worker.send({ kind: how })
    else this.worker.kill()
    await this.empty.promise
  }

  hurry(): void {
    this.worker?.send({ kind: 'leave' })
  }

  async kill(): Promise<void> {
    this.isOver = true
    clearTimeout(this.timer)
    if (this.worker === null) return
    this.worker.kill()
    await this.empty.promise
  }

  private hear(worker: WorkerLine, message: FromWorker): void {
    switch (message.kind) {
      case 'here':
        if (message.version === VERSION)
          this.begin(worker).catch((error: unknown) => this.end(worker, 'a worker cannot begin', error))
        else this.end(worker, 'a worker is of another version: run sluice router upgrade')
        return
      case 'wants':
        this.wanted.push(message.at)
        this.lend()
        return
      case 'ready':
        clearTimeout(this.timer)
        this.isReady = true
        this.parts.log.info({ worker: worker.pid }, 'worker serves')
        return
      case 'report':
        this.follower?.heard(message.report)
        return
      case 'followed':
        this.follower?.heard(message.report)
        this.follower?.followed(message.number)
        return
      case 'enter':
        worker.send({ kind: 'admitted', number: message.number, refusal: this.guests.enter(message) })
        return
      case 'left':
        this.guests.left(message.number)
        return
      case 'bugs':
        this.bugsNow = message.total
    }
  }

  /** From the moment at which it is told the routes it is told each change, and each change waits for it. */
  private async begin(worker: WorkerLine): Promise<void> {
    const { table, records, limits, trustForwarded } = this.parts
    const { pid } = worker
    await records.add(pid)
    await table.whenStill((file) => {
      if (this.worker !== worker) return
      const { boot, followers } = table.sight
      worker.send({ kind: 'begin', boot, file, limits, trustForwarded })
      const report = { elders: 0, services: {} }
      this.follower = new Follower(worker.channel, { pid, report, hungMs: HUNG_WORKER_MS })
      followers.add(this.follower)
    })
  }

  private end(worker: WorkerLine, why: string, error?: unknown): void {
    this.parts.log.error({ worker: worker.pid, err: error }, why)
    worker.kill()
  }

  private ended(worker: WorkerLine, { code, signal }: WorkerEnd): void {
    const { table, records, log } = this.parts
    clearTimeout(this.timer)
    this.follower?.ended()
    if (this.follower !== null) table.sight.followers.dismiss(this.follower)
    this.follower = null
    this.worker = null
    this.isReady = false
    this.wanted = []
    this.guests.leave()
    this.bugsOfPast += this.bugsNow
    this.bugsNow = 0
    void records.remove(worker.pid)
    this.empty.resolve()
    if (this.isOver) return
    const pauseMs = this.pauseMs()
    log.warn({ worker: worker.pid, code, signal, pauseMs }, 'worker ended, another one takes its place')
    this.timer = setTimeout(() => this.fill(), pauseMs)
  }

  /** What dies again and again may not take the core from those who serve. */
  private pauseMs(): number {
    if (performance.now() - this.startedAt > WORKER_SOUND_MS) this.failures = 0
    const [first, most] = WORKER_PAUSE_MS
    const pauseMs = this.failures === 0 ? 0 : Math.min(most, first * 2 ** (this.failures - 1))
    this.failures += 1
    return pauseMs
  }
}
