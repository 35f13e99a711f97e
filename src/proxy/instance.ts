import { buildConnector, Client, Pool } from 'undici'
import type { Ejection } from '../core/shared/ejection.ts'
import type { InstanceTraffic } from '../core/shared/router-state.ts'
import type { DrainLimits, RouteInstance } from '../core/shared/routes.ts'
import { Drain } from './drain.ts'
import { connectFaults, reusedFaults } from './fault.ts'
import type { Limits } from './limits.ts'
import type { Work } from './work.ts'

/** Answers of instances may carry more header bytes than requests: cookies and policies add up. */
const ANSWER_HEADER_BYTES = 64 * 1024

/** One instance as the data plane holds it: its connections, what it does now, and its drain. */
export class LiveInstance {
  readonly id: string
  readonly release: string
  readonly host: string
  readonly port: number
  readonly works = new Set<Work>()
  readonly pool: Pool
  readonly origin: string
  drain: Drain | null = null
  /** Monotonic time at which its slow start began; `null` when it has none (`slow-start.ts`). */
  warmingSince: number | null = null
  /** It gets no new requests for a while (`outliers.ts`). */
  ejected: Ejection | null = null
  private readonly options: Client.Options

  constructor(release: string, { id, host, port }: RouteInstance, limits: Limits) {
    this.id = id
    this.release = release
    this.host = host
    this.port = port
    this.origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
    this.options = {
      connect: connectorWith(limits.connectTimeoutMs),
      // One sweep over all requests keeps these times (forward.ts), so that event streams can be exempt.
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: 1,
      maxHeaderSize: ANSWER_HEADER_BYTES,
    }
    this.pool = new Pool(this.origin, this.options)
  }

  /** A connection that nobody used before, for one request. */
  freshClient(): Client {
    return new Client(this.origin, this.options)
  }

  enter(work: Work): void {
    this.works.add(work)
  }

  leave(work: Work): void {
    if (this.works.delete(work)) this.drain?.check()
  }

  startDrain(limits: DrainLimits): Drain {
    this.drain ??= new Drain(this.works, limits)
    return this.drain
  }

  cancelDrain(): void {
    this.drain?.cancel()
    this.drain = null
  }

  traffic(): InstanceTraffic {
    let websockets = 0
    for (const work of this.works) if (work.kind === 'websocket') websockets += 1
    const { id, release, ejected } = this
    return {
      id,
      release,
      inFlight: this.works.size - websockets,
      websockets,
      drain: this.drain?.report() ?? null,
      // One that drains gets nothing new in any case.
      ...(ejected === null || this.drain !== null ? {} : { ejected }),
    }
  }

  /** Ends all connections. Nothing may be running any more. */
  destroy(): void {
    this.drain?.cancel()
    this.pool.destroy().catch(() => undefined)
  }
}

/** Two entries are the same instance only when they are the same copy at the same address. */
export const instanceKey = (release: string, { id, host, port }: Omit<RouteInstance, 'state'>): string =>
  `${release} ${id} ${host} ${port}`

/** Connects like undici does, and marks the errors that `forward.ts` must tell apart. */
function connectorWith(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, allowH2: false })
  return (options, callback) => {
    connect(options, (error, socket) => {
      if (error !== null) {
        connectFaults.add(error)
        callback(error, null)
        return
      }
      socket.setNoDelay(true)
      socket.on('error', (fault: Error) => {
        if (socket.bytesRead > 0) reusedFaults.add(fault)
      })
      callback(null, socket)
    })
  }
}
