import { parseArgs } from 'node:util'
import type { Logger } from 'pino'
import { ProblemError, problem } from '../../core/shared/problem.ts'
import { VERSION } from '../../telemetry/version.ts'
import { type Channel, endOfParent, openChannel } from '../handover/channel.ts'
import { Following } from '../handover/following.ts'
import { Leave } from '../handover/leave.ts'
import { SWEEP_MS } from '../limits.ts'
import { ended, openLog, stopSignal, surviveBugs } from '../process-life.ts'
import { Table } from '../table.ts'
import { Gate } from './gate.ts'
import { LentDoors } from './lent-doors.ts'
import { type Begin, FromLead, type FromWorker } from './messages.ts'
import { WorkerRecords } from './records.ts'

/** How a worker comes to its end. */
type End = 'stop' | 'farewell' | 'hurry'

/**
 * One of several processes that serve together: `--folder DIR`, which only names whose it is. Everything else comes from the
 * process that leads and started it: routes, sockets and each change. Resolves when that one ends it, or is gone.
 */
export async function runProxyWorker(argv: string[]): Promise<void> {
  const { values } = parseArgs({ args: argv, options: { folder: { type: 'string' } } })
  const line = endOfParent()
  if (line === null || values.folder === undefined) throw new ProblemError(notByHand())
  const log = openLog()
  await new Worker(values.folder, { log, line }).run()
  await ended(log)
}

type WorkerParts = { log: Logger; line: NonNullable<ReturnType<typeof endOfParent>> }

class Worker {
  private readonly folder: string
  private readonly log: Logger
  private readonly channel: Channel<FromWorker>
  private readonly served = Promise.withResolvers<void>()
  private readonly over = Promise.withResolvers<End>()
  private readonly doors: LentDoors
  private readonly gate: Gate
  private following: Following | null = null
  private leave: Leave | null = null

  constructor(folder: string, { log, line }: WorkerParts) {
    this.folder = folder
    this.log = log
    this.channel = openChannel<FromLead, FromWorker>(line, FromLead, {
      onMessage: (message, socket) => {
        if (message.kind !== 'door') this.hear(message)
        else if (socket === null) this.doors.missed(message.at)
        else void this.doors.adopt(message.at, socket)
      },
      onNonsense: () => this.end('hurry'),
      // Nobody tells the routes any more, and the next one that leads needs the addresses.
      onEnd: () => this.end('hurry'),
    })
    this.doors = new LentDoors((at) => this.channel.send({ kind: 'wants', at }))
    this.gate = new Gate((message) => this.channel.send(message))
    void stopSignal().then(() => this.end('stop'))
    this.channel.send({ kind: 'here', version: VERSION })
  }

  /** Resolves when everything has ended here. */
  async run(): Promise<void> {
    await this.served.promise
    await this.channel.close()
  }

  /** Follows from the first moment on: a change may come right behind the routes that it changes. */
  private async serve(begin: Begin): Promise<void> {
    const table = this.tableOf(begin)
    surviveBugs(this.log, (total) => this.channel.send({ kind: 'bugs', total }))
    const following = new Following({
      table,
      log: this.log,
      send: (message) => this.channel.send(message),
      onStray: () => this.end('hurry'),
    })
    this.following = following
    const timer = setInterval(() => table.sweep(performance.now()), SWEEP_MS)
    const restored = table.restore()
    following.begin()
    await restored
    this.channel.send({ kind: 'ready' })
    const end = await this.over.promise
    await (end === 'stop' ? this.stop(table) : this.sayFarewell(table, { begin, end }))
    clearInterval(timer)
    following.end()
  }

  private tableOf({ boot, file, limits, trustForwarded }: Begin): Table {
    const { folder, log, gate, doors: inherited } = this
    const options = { folder, log, gate, inherited, limits, trustForwarded, boot, isLed: true }
    return new Table(options, file)
  }

  private hear(message: Exclude<FromLead, { kind: 'door' }>): void {
    switch (message.kind) {
      case 'begin':
        void this.serve(message).finally(this.served.resolve)
        return
      case 'change':
        void this.following?.hear(message.number, message.change)
        return
      case 'admitted':
        this.gate.answered(message.number, message.refusal)
        return
      case 'leave':
        this.end('hurry')
        return
      case 'farewell':
      case 'stop':
        this.end(message.kind)
    }
  }

  private end(how: End): void {
    if (this.following === null) this.served.resolve()
    this.over.resolve(how)
    if (how !== 'farewell') this.leave?.hurry()
  }

  private async stop(table: Table): Promise<void> {
    const stopped = table.stop()
    void table.settled.then(() => this.forget())
    await stopped
  }

  private async sayFarewell(table: Table, { begin, end }: { begin: Begin; end: End }): Promise<void> {
    const leave = new Leave({ table, limits: begin.limits, log: this.log, companions: null })
    this.leave = leave
    const left = leave.end()
    void this.forget()
    if (end === 'hurry') leave.hurry()
    await left
  }

  /** Its doors are closed: the next one that leads need not wait for it. */
  private async forget(): Promise<void> {
    await new WorkerRecords(this.folder).remove(process.pid)
  }
}

const notByHand = () =>
  problem('PROXY_ARGUMENTS', {
    message: 'A worker of the proxy serves the proxy that starts it, and nobody else.',
    remedy: 'Run sluice up --proxy-workers with the number of processes that shall serve.',
  })
