import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { addExtra, answerHeaders } from './answer-head.ts'
import { answer, refusal } from './refusal.ts'
import type { Head } from './request-head.ts'
import { Visit, type VisitContext } from './visit.ts'

/**
 * Sends on what undici cannot: requests with `Expect: 100-continue`, whose body is invited only after the instance
 * invited it, and requests with trailers. One fresh connection each, by `http.request`.
 */
export class ExpectForward extends Visit {
  private readonly req: IncomingMessage
  private readonly res: ServerResponse
  private readonly head: Head
  private readonly expects: boolean
  private upstream: ClientRequest | null = null
  private invited = false
  private connected = false
  private bytes = 0
  private sweptBytes = 0
  private answerEnded = false
  private touchedAt = this.startedAt

  constructor(
    context: VisitContext,
    req: IncomingMessage,
    res: ServerResponse,
    head: Head,
    expects: boolean,
  ) {
    super(context, req.method ?? 'GET', head.path)
    this.req = req
    this.res = res
    this.head = head
    this.expects = expects
    res.on('error', () => undefined)
    res.on('close', () => this.clientClosed())
    req.on('data', (chunk: Buffer) => this.count(chunk))
    req.pause()
  }

  start(): void {
    const { head, req, instance } = this
    const headers = [...head.headers, 'connection', 'close']
    if (this.expects) headers.push('expect', '100-continue')
    if (head.chunked) headers.push('transfer-encoding', 'chunked')
    if (head.trailers) headers.push('trailer', req.headers.trailer ?? '')
    const { host, port } = instance
    const upstream = request({ host, port, method: req.method, path: head.path, headers, agent: false })
    this.upstream = upstream
    const connectTimer = setTimeout(() => upstream.destroy(), this.context.limits.connectTimeoutMs)
    upstream.once('socket', (socket) => {
      socket.setNoDelay(true)
      socket.once('connect', () => {
        this.connected = true
        clearTimeout(connectTimer)
        this.afterConnect()
      })
    })
    upstream.on('continue', () => this.invite())
    upstream.on('response', (from) => this.pass(from))
    upstream.on('error', () => {
      clearTimeout(connectTimer)
      this.failed(upstream)
    })
    upstream.flushHeaders()
  }

  /** Origins that ignore `Expect` say nothing: then we invite the body. */
  private afterConnect(): void {
    if (!this.expects) {
      this.invite()
      return
    }
    const timer = setTimeout(() => this.invite(), this.context.limits.expectWaitMs)
    this.res.once('close', () => clearTimeout(timer))
  }

  private invite(): void {
    const { req, upstream } = this
    if (this.invited || this.settled || this.status !== 0 || upstream === null) return
    this.invited = true
    this.touchedAt = performance.now()
    if (this.expects) this.res.writeContinue()
    req.on('end', () => {
      if (this.head.chunked && req.rawTrailers.length > 0) upstream.addTrailers(pairs(req.rawTrailers))
      upstream.end()
    })
    upstream.on('drain', () => req.resume())
    req.resume()
  }

  private count(chunk: Buffer): void {
    this.bytes += chunk.length
    const { bodyBytes } = this.context.limits
    if (this.bytes > bodyBytes) this.tooLarge(bodyBytes)
    else if (this.settled || this.answerEnded) return
    else {
      this.tally?.passedIn(chunk.length)
      if (this.upstream?.write(chunk) === false) this.req.pause()
    }
  }

  private pass(from: IncomingMessage): void {
    if (this.settled) {
      from.destroy()
      return
    }
    const { req, res, context } = this
    this.status = from.statusCode ?? 502
    const flat = answerHeaders(from.headers, {
      trailers: req.httpVersionMinor === 1 && req.method !== 'HEAD',
    })
    if (from.headers.date !== undefined) res.sendDate = false
    // Without an invitation nobody knows whether the body still comes: this connection cannot be used again.
    if (context.door.closing || !req.complete) flat.push('connection', 'close')
    if (context.extra !== null) addExtra(flat, context.extra, from.headers)
    if (context.goal !== null) context.goal.mark(flat, this.status)
    res.writeHead(this.status, from.statusMessage, flat)
    res.flushHeaders()
    from.on('data', (chunk: Buffer) => {
      this.touchedAt = performance.now()
      this.tally?.passedOut(chunk.length)
      if (!res.write(chunk)) from.pause()
    })
    res.on('drain', () => from.resume())
    from.on('end', () => {
      this.answerEnded = true
      this.instance.leave(this)
      if (from.rawTrailers.length > 0) res.addTrailers(pairs(from.rawTrailers))
      res.end()
    })
    from.on('error', () => this.breakOff('reset'))
  }

  private failed(attempt: ClientRequest): void {
    if (this.settled || this.answerEnded || attempt !== this.upstream) return
    if (this.connected) {
      if (this.status !== 0) this.breakOff('reset')
      else this.fail('reset', this.resetRefusal())
    } else if (this.moveOn()) this.start()
    else this.fail('unreachable', this.unreachable(false))
  }

  private fail(end: 'reset' | 'unreachable' | 'timed-out', own: ReturnType<typeof refusal>): void {
    this.settle(end, own.status)
    this.upstream?.destroy()
    answer(this.res, own)
  }

  private tooLarge(limitBytes: number): void {
    if (this.settled) return
    this.refuse(
      refusal(413, 'BODY_TOO_LARGE', `The body is larger than ${limitBytes} bytes.`, 'Send less at once.'),
    )
  }

  private refuse(own: ReturnType<typeof refusal>): void {
    this.forget(own)
    if (this.tally !== null) this.context.counters.refuse(this.req.socket)
    this.upstream?.destroy()
    if (this.res.headersSent) this.res.destroy()
    else answer(this.res, own)
  }

  private breakOff(end: 'reset' | 'timed-out' | 'cut'): void {
    this.settle(end, null)
    this.upstream?.destroy()
    this.res.destroy()
  }

  private clientClosed(): void {
    const complete = this.answerEnded && this.res.writableFinished
    if (this.context.door.brokeHttp(this.req.socket)) this.forget()
    else this.settle(complete ? 'answered' : 'client-gone', complete ? this.status : null)
    this.upstream?.destroy()
  }

  closeGracefully(): void {
    this.cut()
  }

  cut(): void {
    if (this.status !== 0) {
      this.breakOff('cut')
      return
    }
    this.settle('cut', null)
    this.upstream?.destroy()
    answer(this.res, this.cutRefusal())
  }

  sweep(now: number): void {
    const { limits } = this.context
    if (this.answerEnded) return
    if (this.bytes !== this.sweptBytes) {
      this.sweptBytes = this.bytes
      this.touchedAt = now
    }
    const idleMs = now - this.touchedAt
    if (this.status !== 0) {
      if (idleMs > limits.responseIdleMs) this.breakOff('timed-out')
    } else if (this.invited && !this.req.complete && !this.req.isPaused()) {
      const stalled = refusal(
        408,
        'UPLOAD_STALLED',
        `The body stopped for ${limits.uploadIdleMs} ms.`,
        'Send the request again.',
      )
      if (idleMs > limits.uploadIdleMs) this.refuse(stalled)
    } else if (idleMs > limits.responseHeadersTimeoutMs) this.fail('timed-out', this.timeoutRefusal())
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = []
  for (let at = 0; at < raw.length; at += 2) found.push([raw[at] ?? '', raw[at + 1] ?? ''])
  return found
}
