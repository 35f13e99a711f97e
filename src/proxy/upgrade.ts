import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Tally } from '../core/shared/counters.ts'
import { answerHeaders } from './answer-head.ts'
import { closeFrame, FrameTracker } from './frame.ts'
import { CLOSE_GRACE_MS } from './limits.ts'
import { answerSocket, type Refusal } from './refusal.ts'
import type { Head } from './request-head.ts'
import { Visit, type VisitContext } from './visit.ts'

/** Browsers and servers speak this one protocol over an upgrade; `h2c` would smuggle requests past the split. */
export const isWebSocket = (req: IncomingMessage): boolean =>
  req.headers.upgrade?.toLowerCase() === 'websocket'

/** One WebSocket: the handshake, then bytes both ways, and a good-bye that fits between two frames. */
export class Upgrade extends Visit {
  private readonly client: Duplex
  private readonly clientHead: Buffer
  private readonly head: Head
  private upstream: ClientRequest | null = null
  private server: Duplex | null = null
  private connected = false
  private readonly toClient = new Direction(this.tally, false)
  private readonly toServer = new Direction(this.tally, true)

  constructor(context: VisitContext, req: IncomingMessage, client: Duplex, clientHead: Buffer, head: Head) {
    super(context, req.method ?? 'GET', head.path)
    this.client = client
    this.clientHead = clientHead
    this.head = head
    client.on('error', () => undefined)
    client.on('close', () => this.clientClosed())
  }

  start(): void {
    const { host, port } = this.instance
    const headers = [...this.head.headers, 'connection', 'Upgrade', 'upgrade', 'websocket']
    const upstream = request({ host, port, method: 'GET', path: this.head.path, headers, agent: false })
    this.upstream = upstream
    const timer = setTimeout(() => upstream.destroy(), this.context.limits.connectTimeoutMs)
    upstream.once('socket', (socket) =>
      socket.once('connect', () => {
        this.connected = true
        clearTimeout(timer)
      }),
    )
    upstream.on('upgrade', (from, socket, first) => this.join(from, socket, first))
    upstream.on('response', (from) => this.passRefusal(from))
    upstream.on('error', () => {
      clearTimeout(timer)
      this.failed()
    })
    upstream.end()
  }

  private join(from: IncomingMessage, server: Duplex, first: Buffer): void {
    if (this.settled) {
      server.destroy()
      return
    }
    this.server = server
    const { client, clientHead } = this
    client.write(rawHead(from, ['connection', 'Upgrade', 'upgrade', 'websocket', ...this.extra]))
    this.becomeLong('websocket', from.statusCode ?? 101)
    server.on('error', () => undefined)
    server.on('close', () => this.serverClosed())
    this.toClient.connect(server, client)
    this.toServer.connect(client, server)
    if (first.length > 0) this.toClient.pass(first)
    if (clientHead.length > 0) this.toServer.pass(clientHead)
  }

  /** The instance does not want to: its answer goes to the client as it is. */
  private passRefusal(from: IncomingMessage): void {
    if (this.settled) {
      from.destroy()
      return
    }
    const { client } = this
    const status = from.statusCode ?? 502
    client.write(rawHead(from, ['connection', 'close', ...this.extra]))
    from.on('end', () => this.settle('answered', status))
    from.on('error', () => this.settle('reset', null))
    from.on('data', (chunk: Buffer) => this.tally?.passedOut(chunk.length))
    from.pipe(client)
  }

  private get extra(): readonly string[] {
    return this.context.extra ?? []
  }

  private failed(): void {
    if (this.settled || this.server !== null) return
    if (this.connected) this.fail('reset', this.resetRefusal())
    else if (this.moveOn()) this.start()
    else this.fail('unreachable', this.unreachable(false))
  }

  private fail(end: 'reset' | 'unreachable' | 'timed-out', own: Refusal): void {
    this.settle(end, own.status)
    this.upstream?.destroy()
    answerSocket(this.client, own)
  }

  private clientClosed(): void {
    this.settle('client-gone', null)
    this.upstream?.destroy()
    this.server?.destroy()
  }

  private serverClosed(): void {
    // A WebSocket that ends is not a failure; one that ends inside a frame was reset.
    this.settle(this.toClient.tracker.atBoundary ? 'answered' : 'reset', null)
    this.client.destroy()
  }

  closeGracefully(): void {
    if (this.kind === 'request') return
    this.toClient.goodBye()
    this.toServer.goodBye()
    const timer = setTimeout(() => this.cut(), CLOSE_GRACE_MS)
    this.client.once('close', () => clearTimeout(timer))
  }

  cut(): void {
    if (this.server === null) {
      this.settle('cut', null)
      this.upstream?.destroy()
      answerSocket(this.client, this.cutRefusal())
      return
    }
    this.settle(this.toClient.saidGoodBye ? 'answered' : 'cut', null)
    this.client.destroy()
    this.server.destroy()
  }

  sweep(now: number): void {
    if (this.kind !== 'request' || this.settled) return
    if (now - this.startedAt > this.context.limits.responseHeadersTimeoutMs)
      this.fail('timed-out', this.timeoutRefusal())
  }
}

/** One direction of a WebSocket, with back-pressure. */
class Direction {
  readonly tracker = new FrameTracker()
  saidGoodBye = false
  private leaving = false
  private from: Duplex | null = null
  private to: Duplex | null = null
  private readonly tally: Tally | null
  /** As everything that goes to a server is. */
  private readonly masked: boolean

  constructor(tally: Tally | null, masked: boolean) {
    this.tally = tally
    this.masked = masked
  }

  connect(from: Duplex, to: Duplex): void {
    this.from = from
    this.to = to
    from.on('data', (chunk: Buffer) => this.pass(chunk))
    from.on('end', () => to.end())
    to.on('drain', () => from.resume())
  }

  pass(chunk: Buffer): void {
    // After the good-bye nothing may follow in this direction (RFC 6455, 5.5.1).
    if (this.saidGoodBye) return
    const length = this.tracker.feed(chunk, this.leaving)
    if (this.masked) this.tally?.passedIn(length)
    else this.tally?.passedOut(length)
    if (this.to?.write(length === chunk.length ? chunk : chunk.subarray(0, length)) === false)
      this.from?.pause()
    if (this.leaving) this.goodBye()
  }

  goodBye(): void {
    this.leaving = true
    if (this.saidGoodBye || !this.tracker.atBoundary) return
    this.saidGoodBye = true
    this.to?.write(closeFrame(this.masked))
  }
}

function rawHead(from: IncomingMessage, extra: readonly string[]): string {
  const flat = [...answerHeaders(from.headers, { trailers: false }), ...extra]
  let text = `HTTP/1.1 ${from.statusCode} ${from.statusMessage}\r\n`
  for (let at = 0; at < flat.length; at += 2) text += `${flat[at]}: ${flat[at + 1]}\r\n`
  return `${text}\r\n`
}
