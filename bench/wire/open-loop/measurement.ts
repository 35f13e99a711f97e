import type { Worker } from 'node:worker_threads'
import { Connection } from './connection.ts'
import type { Beat, OpenLoopOrder, OpenLoopReply } from './messages.ts'

/** Open and used once before the clock starts: what a first request costs is not the question. */
const KEPT_CONNECTIONS = 32
/** Far more than any server here needs at once; what is due beyond it waits, and its wait is measured. */
const MOST_CONNECTIONS = 512
/** Time for the clock thread to be ready before the first beat. */
const LEAD_MS = 20
const NS_PER_MS = 1_000_000n

/**
 * Sends each request at its time and takes its latency from that time on, also when this process or the server was late
 * (Gil Tene, "coordinated omission"). Keeps every single value.
 */
export class Measurement {
  readonly reply: Promise<OpenLoopReply>
  private readonly order: OpenLoopOrder
  private readonly clock: Worker
  private readonly settle: (reply: OpenLoopReply) => void
  private readonly latenciesMs: Float64Array
  private readonly delaysMs: Float64Array
  /** Free connections, the longest free first, so that all stay in use. */
  private readonly free: Connection[] = []
  private readonly connections: Connection[] = []
  private readonly intervalMs: number
  private startMs = Number.POSITIVE_INFINITY
  private startNs = 0n
  private sent = 0
  private answered = 0

  constructor(order: OpenLoopOrder, clock: Worker) {
    const { promise, resolve } = Promise.withResolvers<OpenLoopReply>()
    this.reply = promise
    this.settle = resolve
    this.order = order
    this.clock = clock
    this.intervalMs = 1_000 / order.ratePerSecond
    this.latenciesMs = new Float64Array(order.requests)
    this.delaysMs = new Float64Array(order.requests)
    for (let count = 0; count < KEPT_CONNECTIONS; count += 1) this.open().send(-1)
  }

  /** To be called on every beat of the clock: sends what is due by now. */
  sendDue(): void {
    while (this.sent < this.order.requests) {
      const lateMs = performance.now() - this.dueMs(this.sent)
      if (lateMs < 0) return
      const connection =
        this.free.shift() ?? (this.connections.length < MOST_CONNECTIONS ? this.open() : null)
      if (connection === null) return
      this.delaysMs[this.sent] = lateMs
      connection.send(this.sent)
      this.sent += 1
    }
  }

  private dueMs(request: number): number {
    return this.startMs + request * this.intervalMs
  }

  private open(): Connection {
    const connection = new Connection(this.order.port, {
      answered: (of) => this.takeAnswer(of),
      failed: (why) => this.end({ kind: 'failed', why }),
    })
    this.connections.push(connection)
    return connection
  }

  private takeAnswer(connection: Connection): void {
    const { request } = connection
    this.free.push(connection)
    if (request < 0) {
      if (this.free.length === KEPT_CONNECTIONS) this.start()
      return
    }
    this.latenciesMs[request] = performance.now() - this.dueMs(request)
    this.answered += 1
    if (this.answered < this.order.requests) this.sendDue()
    else this.end(this.numbers())
  }

  private start(): void {
    this.startMs = performance.now() + LEAD_MS
    this.startNs = process.hrtime.bigint() + BigInt(LEAD_MS) * NS_PER_MS
    const { startNs } = this
    const beat: Beat = { startNs, intervalMs: this.intervalMs, beats: this.order.requests }
    this.clock.postMessage(beat)
  }

  private numbers(): OpenLoopReply {
    const [latenciesMs, delaysMs] = [[...this.latenciesMs], [...this.delaysMs]]
    const startMs = Number(this.startNs) / Number(NS_PER_MS)
    return { kind: 'measured', startMs, latenciesMs, delaysMs, connections: this.connections.length }
  }

  private end(reply: OpenLoopReply): void {
    for (const connection of this.connections) connection.end()
    this.settle(reply)
  }
}
