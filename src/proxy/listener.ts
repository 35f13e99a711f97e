import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer, Server as SecureServer } from 'node:https'
import { type AddressInfo, Server as NetServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { listenFailed } from '../core/shared/route-problems.ts'
import type { GivenDoors } from './handover/inherited-doors.ts'
import type { Limits } from './limits.ts'
import { answerSocket, malformed, type Refusal, refusal } from './refusal.ts'
import { type CertificateFor, guardDoor, secureOptions } from './tls/secure-door.ts'
import { isWebSocket } from './upgrade.ts'

export type Address = { host: string; port: number }

/** What a listener does with what arrives. */
export type ListenerHandlers = {
  request(req: IncomingMessage, res: ServerResponse, listener: Listener, expects: boolean): void
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, listener: Listener): void
  refused(connection: Duplex): void
}

/** Connections that wait to be accepted; the kernel may allow fewer. */
const BACKLOG = 4096
/** How often sockets that slow clients hold open are looked at. */
const CHECK_MS = 1_000

/** A public door. */
export class Listener {
  closing = false
  /** The address that was asked for; its port may be 0. */
  asked: Address | null = null
  /** Where it is while it has no socket: before one is handed to it, and after it handed its own over. */
  private place: Address | null = null
  private readonly server: Server | SecureServer
  /** Of a door with TLS: connections that may not have come to a request yet. */
  private readonly accepted = new Set<Duplex>()
  private readonly upgraded = new Set<Duplex>()
  private readonly idleGraceMs: number
  private closed: Promise<void> | null = null
  private readonly malformed = new WeakSet<Duplex>()
  /** The answer that each connection is about, to know whether a parse error may still be answered. */
  private readonly current = new WeakMap<Duplex, ServerResponse>()

  constructor(limits: Limits, handlers: ListenerHandlers, { contextFor }: ListenerSpeech = PLAIN) {
    this.idleGraceMs = limits.idleGraceMs
    this.server =
      contextFor === null
        ? createServer(httpOptions(limits))
        : createSecureServer({
            ...httpOptions(limits),
            ...secureOptions(contextFor, limits.handshakeTimeoutMs),
          })
    const { server } = this
    if (server instanceof SecureServer) {
      guardDoor(server, limits.handshakeTimeoutMs)
      server.on('connection', (socket) => this.accept(socket))
      // What cannot shake hands never sent a request.
      server.on('tlsClientError', (_, socket) => socket.destroy())
    }
    server.maxConnections = limits.connections
    // Node would silently drop what is too much; request-head.ts refuses it instead.
    server.maxHeadersCount = 0
    server.on('request', (req, res) => {
      this.follow(req.socket, res)
      handlers.request(req, res, this, false)
    })
    server.on('checkContinue', (req, res) => {
      this.follow(req.socket, res)
      handlers.request(req, res, this, true)
    })
    server.on('upgrade', (req, socket, head) => {
      this.track(socket)
      handlers.upgrade(req, socket, head, this)
    })
    server.on('connect', (_, socket) => {
      handlers.refused(socket)
      answerSocket(
        socket,
        refusal(405, 'METHOD_REFUSED', 'CONNECT is not served here.', 'Send an ordinary request.'),
      )
    })
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.broken(error, socket, handlers))
  }

  /** The address in force; the port is the real one when 0 was asked for. */
  get address(): Address | null {
    const address = this.server.address()
    return isAddressInfo(address) ? { host: address.address, port: address.port } : this.place
  }

  /** Resolves when connections are accepted, or when the socket will come from the process that serves until now. */
  async listen({ host, port }: Address, inherited: GivenDoors | null = null): Promise<Result<void>> {
    this.asked = { host, port }
    const door = {
      adopt: (from: NetServer) => this.adopt(from),
      openAnew: () => this.open({ host, port }),
    }
    if (inherited?.claim(this.asked, door) !== true) return await this.open(this.asked)
    this.place = this.asked
    return ok(undefined)
  }

  /** The socket, for a process that takes over. */
  get socket(): NetServer {
    return this.server
  }

  /**
   * Stops accepting, lets running requests end, and closes idle connections only after a grace: a request may be on
   * the wire already (`http.Server.close` would race with it). Resolves when the last connection is gone.
   */
  close(): Promise<void> {
    this.closed ??= new Promise((resolve) => {
      this.closing = true
      const idle = setInterval(() => this.server.closeIdleConnections(), this.idleGraceMs)
      NetServer.prototype.close.call(this.server, () => {
        clearInterval(idle)
        resolve()
      })
    })
    return this.closed
  }

  /**
   * Stops accepting because another process does so now. A kept connection is closed with its next answer, and a silent one
   * only when any would be: a request may be on the wire already. Resolves when the last connection is gone.
   */
  leave(): Promise<void> {
    this.closed ??= new Promise((resolve) => {
      this.closing = true
      this.place = this.address
      NetServer.prototype.close.call(this.server, () => resolve())
    })
    return this.closed
  }

  /** Silent connections have been waited for long enough. */
  closeIdle(): void {
    this.server.closeIdleConnections()
  }

  /** The certificate for clients that name no host, or one that nobody here has. */
  showByDefault(pem: { cert: string; key: string }): void {
    if (this.server instanceof SecureServer) this.server.setSecureContext({ ...pem, minVersion: 'TLSv1.2' })
  }

  /** Ends everything at once. */
  destroy(): void {
    this.server.closeAllConnections()
    for (const socket of this.accepted) socket.destroy()
    for (const socket of this.upgraded) socket.destroy()
  }

  /** The connection ended because the client broke HTTP in the middle of a request. */
  brokeHttp(socket: Duplex): boolean {
    return this.malformed.has(socket)
  }

  /**
   * Until the answer is over: a kept connection that held on to its last request would give every collection of garbage
   * something to copy, which is a pause for all others.
   */
  private follow(socket: Duplex, res: ServerResponse): void {
    // Also where the answer is our own: the next request belongs to another process.
    if (this.closing) res.shouldKeepAlive = false
    this.current.set(socket, res)
    res.once('close', () => {
      if (this.current.get(socket) === res) this.current.delete(socket)
    })
  }

  private open({ host, port }: Address): Promise<Result<void>> {
    return new Promise((resolve) => {
      const fail = (error: NodeJS.ErrnoException) => resolve(failed(listenFailed({ host, port }, error)))
      this.server.once('error', fail)
      this.server.listen({ host, port, backlog: BACKLOG }, () => {
        this.server.off('error', fail)
        resolve(ok(undefined))
      })
    })
  }

  private adopt(from: NetServer): Promise<void> {
    if (this.closing) {
      from.close()
      return Promise.resolve()
    }
    return new Promise((resolve) => this.server.listen(from, BACKLOG, () => resolve()))
  }

  private accept(socket: Duplex): void {
    this.accepted.add(socket)
    socket.once('close', () => this.accepted.delete(socket))
  }

  private track(socket: Duplex): void {
    this.upgraded.add(socket)
    socket.once('close', () => this.upgraded.delete(socket))
  }

  private broken(error: NodeJS.ErrnoException, socket: Duplex, handlers: ListenerHandlers): void {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    handlers.refused(socket)
    this.malformed.add(socket)
    // An answer to an earlier request is under way: another in its place would be taken for it.
    const res = this.current.get(socket)
    if (res !== undefined && !res.writableFinished && (res.req.complete || res.headersSent)) socket.destroy()
    else answerSocket(socket, refusalOf(error))
  }
}

/** How to find the certificate for a name; `null` for a door without TLS. */
export type ListenerSpeech = { contextFor: CertificateFor | null }
const PLAIN: ListenerSpeech = { contextFor: null }

const httpOptions = (limits: Limits): ServerOptions => ({
  maxHeaderSize: limits.headerBytes,
  headersTimeout: limits.headersTimeoutMs,
  // Uploads may last; one that stands still is noticed by the sweep of its visit.
  requestTimeout: 0,
  keepAliveTimeout: limits.keepAliveMs,
  connectionsCheckingInterval: CHECK_MS,
  requireHostHeader: false,
  insecureHTTPParser: false,
  noDelay: true,
  // Older Node versions lack the option and give every upgrade to the handler, which refuses the rest.
  shouldUpgradeCallback: isWebSocket,
})

function refusalOf(error: NodeJS.ErrnoException): Refusal {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return refusal(
      431,
      'HEADERS_TOO_LARGE',
      'The headers are larger than this server reads.',
      'Send smaller headers or fewer cookies.',
    )
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return refusal(
      408,
      'HEADERS_TIMEOUT',
      'The headers did not arrive in time.',
      'Send the request again, faster.',
    )
  }
  return malformed(`The request is not valid HTTP: ${error.message}.`)
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return address !== null && typeof address !== 'string'
}
