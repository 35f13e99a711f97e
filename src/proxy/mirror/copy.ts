import type { IncomingHttpHeaders } from 'node:http'
import type { Client, Dispatcher } from 'undici'
import { isEventStream } from '../answer-head.ts'
import { faultOf } from '../fault.ts'
import type { LiveInstance } from '../instance.ts'
import type { LiveSet } from '../live-set.ts'

/** A request as it can be made again. `headers` is flat. */
export type CopiedRequest = { method: string; path: string; headers: string[]; body: Buffer | null }

/** Who hears what the shadow says. */
export type ShadowListener = {
  shadowBegan(status: number, headers: IncomingHttpHeaders): void
  shadowData(chunk: Buffer): void
  shadowEnded(): void
  shadowFailed(by: 'connectFailures' | 'resets'): void
  /** It has no end, or could not be sent at all. */
  drop(): void
}

/**
 * One copied request on its way to the shadow. It is no work of the instance: nobody waits for it, no drain is held up by
 * it, and it is dropped at any moment.
 */
export class Copy implements Dispatcher.DispatchHandler {
  instance: LiveInstance
  private readonly request: CopiedRequest
  private readonly set: LiveSet
  private readonly listener: ShadowListener
  private readonly tried: LiveInstance[] = []
  private controller: Dispatcher.DispatchController | null = null
  private began = false
  private repeated = false
  private over = false

  constructor(
    request: CopiedRequest,
    to: { set: LiveSet; instance: LiveInstance },
    listener: ShadowListener,
  ) {
    this.request = request
    this.set = to.set
    this.instance = to.instance
    this.listener = listener
  }

  start(): void {
    this.dispatch(this.instance.pool)
  }

  /** Nothing more is heard of it. */
  stop(): void {
    this.over = true
    this.controller?.abort(STOPPED)
  }

  private dispatch(through: Dispatcher): void {
    through.dispatch(this.request, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.over) controller.abort(STOPPED)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.over || status < 200) return
    this.began = true
    if (isEventStream(headers)) this.listener.drop()
    else this.listener.shadowBegan(status, headers)
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.over) this.listener.shadowData(chunk)
  }

  onResponseEnd(): void {
    if (this.over) return
    this.over = true
    this.listener.shadowEnded()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.over) return
    const fault = faultOf(error)
    if (fault === 'connect' || fault === 'connect-timeout') this.failOver()
    else if (fault === 'reused' && !this.began && !this.repeated) this.repeat()
    else if (fault === 'invalid') this.listener.drop()
    else this.fail('resets')
  }

  /** As a request of a user would: each other instance of the release once. */
  private failOver(): void {
    this.tried.push(this.instance)
    const next = this.set.choose(this.tried)
    if (next === null) this.fail('connectFailures')
    else {
      this.instance = next
      this.dispatch(next.pool)
    }
  }

  /** The instance had just closed this idle connection: that is no fault of the release. */
  private repeat(): void {
    this.repeated = true
    const client: Client = this.instance.freshClient()
    this.dispatch(client)
    client.close().catch(() => undefined)
  }

  private fail(by: 'connectFailures' | 'resets'): void {
    this.over = true
    this.listener.shadowFailed(by)
  }
}

/** One error for all: nobody reads its stack. */
const STOPPED = new Error('the copy is not wanted any more')
