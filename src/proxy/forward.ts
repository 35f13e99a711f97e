import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Client, Dispatcher } from 'undici'
import { addExtra, answerHeaders, isEventStream } from './answer-head.ts'
import { type Fault, faultOf } from './fault.ts'
import { flushLater } from './flush.ts'
import { LINGER_MS } from './limits.ts'
import { answer, malformed, type Refusal, refusal } from './refusal.ts'
import type { Head } from './request-head.ts'
import { Upload } from './upload.ts'
import { Visit, type VisitContext } from './visit.ts'

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])
/** Bodies up to this size are sent together with their head, in one write. */
const SMALL_BYTES = 8 * 1024

/**
 * Sends one request to an instance and its answer to the client, streaming both ways. It is its own undici handler:
 * no promise and no closure per chunk on this path.
 */
export class Forward extends Visit implements Dispatcher.DispatchHandler {
  private readonly req: IncomingMessage
  private readonly res: ServerResponse
  private readonly head: Head
  private controller: Dispatcher.DispatchController | null = null
  private upload: Upload | null = null
  private uploadedBytes = 0
  private answerBegan = false
  private answerEnded = false
  private retried = false
  private paused = false
  private flushed = false
  private held: Buffer | null = null
  private touchedAt = this.startedAt

  constructor(context: VisitContext, req: IncomingMessage, res: ServerResponse, head: Head) {
    super(context, req.method ?? 'GET', head.path)
    this.req = req
    this.res = res
    this.head = head
    res.on('close', () => this.clientClosed())
    res.on('error', ignore)
  }

  /** Begins. A chunked body is looked at first: broken framing in the same packet must never reach an instance. */
  start(): void {
    if (!this.head.chunked) this.dispatch(this.instance.pool)
    else setImmediate(() => this.settled || this.dispatch(this.instance.pool))
  }

  private dispatch(through: Dispatcher): void {
    const { req, head } = this
    const hasBody = head.chunked || head.contentLength > 0
    const limitBytes = this.context.limits.bodyBytes
    const { copied } = this.context
    this.upload = hasBody
      ? new Upload(req, { limitBytes, tally: this.tally, copied, onTooLarge: () => this.tooLarge() })
      : null
    through.dispatch(
      { path: head.path, method: methodOf(req), headers: head.headers, body: this.upload },
      this,
    )
    if (!hasBody) copied?.ask()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.settled) controller.abort(GONE)
  }

  onResponseStarted(): void {
    this.answerBegan = true
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    text?: string,
  ): void {
    if (this.settled) return
    this.touchedAt = performance.now()
    if (status < 200) {
      if (status === 103) this.earlyHints(headers)
      return
    }
    this.status = status
    const { req, res, context } = this
    const flat = answerHeaders(headers, { trailers: req.httpVersionMinor === 1 && req.method !== 'HEAD' })
    if (headers.date !== undefined) res.sendDate = false
    if (context.door.closing) flat.push('connection', 'close')
    if (context.extra !== null) addExtra(flat, context.extra, headers)
    if (context.goal !== null) context.goal.mark(flat, status)
    res.writeHead(status, text, flat)
    context.copied?.userBegan(status, headers)
    if (isEventStream(headers)) {
      context.copied?.userLeft()
      this.becomeLong('stream', status)
    }
    flushLater(this)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return
    this.touchedAt = performance.now()
    this.tally?.passedOut(chunk.length)
    this.context.copied?.userData(chunk)
    if (!this.flushed && this.held === null) {
      this.held = chunk
      return
    }
    this.flush()
    this.write(controller, chunk)
  }

  /** Writes what is held back. Called when more comes, or when the turn of the loop is over. */
  flush(): void {
    if (this.flushed || this.answerEnded || this.settled) return
    this.flushed = true
    const { held, controller } = this
    this.held = null
    if (held === null) this.res.flushHeaders()
    else if (controller !== null) this.write(controller, held)
  }

  private write(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.res.write(chunk) || this.paused) return
    this.paused = true
    controller.pause()
    this.res.once('drain', () => {
      this.paused = false
      this.touchedAt = performance.now()
      controller.resume()
    })
  }

  onResponseEnd(_: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.settled) return
    this.answerEnded = true
    this.instance.leave(this)
    this.context.copied?.userEnded()
    const { res, held } = this
    if (!isEmpty(trailers)) res.addTrailers(trailerPairs(trailers))
    this.held = null
    // A string is joined with the head and written at once; a buffer would be a second write.
    if (held === null) res.end()
    else if (held.length > SMALL_BYTES) res.end(held)
    else res.end(held.toString('latin1'), 'latin1')
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.settled || this.answerEnded) return
    const fault = faultOf(error)
    if (this.status !== 0) this.breakOff('reset')
    else if (fault === 'connect' || fault === 'connect-timeout') this.failOver(fault)
    else if (fault === 'reused' && this.mayRepeat()) this.repeat()
    else if (fault === 'invalid') this.refuse(malformed(`The request cannot be sent on: ${error.message}.`))
    else this.fail('reset', this.resetRefusal())
  }

  /** Nothing was sent, so any method may go to another instance. */
  private failOver(fault: Fault): void {
    if (this.moveOn()) this.dispatch(this.instance.pool)
    else this.fail('unreachable', this.unreachable(fault === 'connect-timeout'))
  }

  private mayRepeat(): boolean {
    const untouched = this.upload === null || !this.upload.consumed
    return !this.retried && !this.answerBegan && untouched && IDEMPOTENT.has(this.req.method ?? '')
  }

  /** The instance had just closed this idle connection: once more, on a connection that cannot be stale. */
  private repeat(): void {
    this.retried = true
    this.tally?.add('retries')
    const client: Client = this.instance.freshClient()
    this.dispatch(client)
    client.close().catch(() => undefined)
  }

  private fail(end: 'reset' | 'timed-out' | 'unreachable', own: Refusal): void {
    this.settle(end, own.status)
    answer(this.res, own)
  }

  /** The client's fault: not counted for the release. */
  private refuse(own: Refusal): void {
    this.forget(own)
    if (this.tally !== null) this.context.counters.refuse(this.req.socket)
    this.controller?.abort(GONE)
    if (this.res.headersSent) this.res.destroy()
    else answer(this.res, own)
  }

  private tooLarge(): void {
    const { bodyBytes } = this.context.limits
    this.refuse(
      refusal(413, 'BODY_TOO_LARGE', `The body is larger than ${bodyBytes} bytes.`, 'Send less at once.'),
    )
  }

  /** The head is out: all that can be said to the client is that the answer is not complete. */
  private breakOff(end: 'reset' | 'timed-out' | 'cut' | 'client-gone'): void {
    this.settle(end, null)
    this.controller?.abort(GONE)
    this.res.destroy()
  }

  private clientClosed(): void {
    if (!this.settled) {
      const complete = this.answerEnded && this.res.writableFinished
      if (this.context.door.brokeHttp(this.req.socket)) this.forget()
      else this.settle(complete ? 'answered' : 'client-gone', complete ? this.status : null)
      if (!complete) this.controller?.abort(GONE)
    }
    if (!this.req.complete && !this.req.socket.destroyed) this.linger()
  }

  /** The answer is out before the upload is in: read on for a moment, so that the client sees the answer, then close. */
  private linger(): void {
    const { req } = this
    req.resume()
    const timer = setTimeout(() => req.socket.destroy(), LINGER_MS)
    req.once('end', () => clearTimeout(timer))
    req.once('close', () => clearTimeout(timer))
  }

  closeGracefully(): void {
    this.settle('answered', this.status)
    this.controller?.abort(GONE)
    this.res.end()
  }

  cut(): void {
    if (this.status !== 0) {
      this.breakOff('cut')
      return
    }
    this.settle('cut', null)
    this.controller?.abort(GONE)
    answer(this.res, this.cutRefusal())
  }

  sweep(now: number): void {
    const { limits } = this.context
    if (this.kind === 'stream' || this.answerEnded) return
    if (this.upload !== null && this.upload.bytes !== this.uploadedBytes) {
      this.uploadedBytes = this.upload.bytes
      this.touchedAt = now
    }
    const idleMs = now - this.touchedAt
    if (this.status !== 0) {
      if (idleMs > limits.responseIdleMs) this.breakOff(this.paused ? 'client-gone' : 'timed-out')
    } else if (this.waitsForClient()) {
      if (idleMs > limits.uploadIdleMs) this.refuse(stalled(limits.uploadIdleMs))
    } else if (idleMs > limits.responseHeadersTimeoutMs) {
      this.fail('timed-out', this.timeoutRefusal())
      this.controller?.abort(GONE)
    }
  }

  private waitsForClient(): boolean {
    return this.upload?.consumed === true && !this.req.complete && !this.req.isPaused()
  }

  private earlyHints(headers: IncomingHttpHeaders): void {
    if (this.req.httpVersionMinor !== 1) return
    const { link, ...rest } = headers
    if (link !== undefined) this.res.writeEarlyHints({ ...stringsOf(rest), link })
  }
}

/** One error for all aborts: nobody reads its stack, and making one is slow. */
const GONE = new Error('the visit is over')

const stalled = (idleMs: number): Refusal =>
  refusal(408, 'UPLOAD_STALLED', `The body stopped for ${idleMs} ms.`, 'Send the request again.')

/** A client that leaves while we write is noticed by `close`. */
const ignore = (): void => undefined

const methodOf = (req: IncomingMessage): Dispatcher.HttpMethod => req.method ?? 'GET'

function isEmpty(trailers: IncomingHttpHeaders): boolean {
  for (const _ in trailers) return false
  return true
}

function trailerPairs(trailers: IncomingHttpHeaders): [string, string][] {
  return Object.entries(trailers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((one): [string, string] => [name, one]),
  )
}

function stringsOf(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
