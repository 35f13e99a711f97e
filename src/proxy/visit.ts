import type { Duplex } from 'node:stream'
import { type ReleaseCounters, type ServiceCounters, Tally } from '../core/shared/counters.ts'
import { routeClass } from '../core/shared/route-class.ts'
import type { AccessEntry } from './access-log/access-log.ts'
import type { Copied } from './copied.ts'
import type { Goal } from './goals.ts'
import type { LiveInstance } from './instance.ts'
import type { Limits } from './limits.ts'
import type { LiveSet } from './live-set.ts'
import { type Refusal, refusal } from './refusal.ts'
import type { Work, WorkKind } from './work.ts'

/** Everything a request needs besides itself. `door.closing` asks for `connection: close` on every answer. */
export type VisitContext = {
  set: LiveSet
  instance: LiveInstance
  counters: ServiceCounters
  limits: Limits
  door: { readonly closing: boolean; brokeHttp(socket: Duplex): boolean }
  /** Where it is counted; `null` for a probe, which is not. */
  counted: ReleaseCounters | null
  /** This request may reach the goal of an A/B test. */
  goal: Goal | null
  /** This request is copied to a shadow. */
  copied: Copied | null
  /** Headers of ours on the answer, flat. */
  extra: readonly string[] | null
  /** This request gets a line in the access log. */
  entry: AccessEntry | null
}

/** How a visit ended. `unreachable`: no instance could be connected to. */
export type End = 'answered' | 'client-gone' | 'reset' | 'timed-out' | 'cut' | 'unreachable'

/**
 * One request of a client on its way through an instance, and the only place where it is counted, exactly once, when
 * it is over (what lives long is counted when it begins). Probes have no tally.
 */
export abstract class Visit implements Work {
  readonly startedAt = performance.now()
  readonly route: string
  kind: WorkKind = 'request'
  protected readonly context: VisitContext
  protected readonly tally: Tally | null
  protected instance: LiveInstance
  protected tried: LiveInstance[] | null = null
  protected settled = false
  /** Of the answer that the instance gave; 0 before it began. */
  protected status = 0

  constructor(context: VisitContext, method: string, path: string) {
    this.context = context
    this.instance = context.instance
    this.route = routeClass(method, path)
    this.tally = context.counted === null ? null : new Tally(context.counted, this.route)
    this.instance.enter(this)
  }

  abstract closeGracefully(): void
  abstract cut(): void
  abstract sweep(now: number): void

  /** The answer has begun and will go on until somebody leaves: counted now. */
  protected becomeLong(kind: 'websocket' | 'stream', status: number): void {
    this.kind = kind
    this.status = status
    this.tally?.answered(status)
    // That it was taken is all that counts: what lives long says nothing about the next request.
    if (this.isLiveTraffic) this.context.set.passed(this.instance)
  }

  /** Counts the visit. `status` is that of a complete answer, `null` when the client got none. */
  protected settle(end: End, status: number | null): void {
    if (this.settled) return
    this.settled = true
    this.instance.leave(this)
    if (this.context.copied !== null) this.tellCopied(this.context.copied, end)
    if (this.context.entry !== null) this.tellEntry(this.context.entry, end, status)
    if (this.tally === null) return
    if (this.kind !== 'request') this.countLong(this.tally, end)
    else {
      this.countRequest(this.tally, end, status)
      if (this.isLiveTraffic) this.tellSet(end, status)
    }
  }

  /** Neither a probe, nor of the preview, nor sent by a rule. */
  private get isLiveTraffic(): boolean {
    return this.context.counted === this.context.set.counters
  }

  /** What users got from the instance. Those that could not be connected to were told one by one (`moveOn`). */
  private tellSet(end: End, status: number | null): void {
    const { set } = this.context
    if (end === 'reset') set.failed(this.instance, 'reset')
    else if (end === 'timed-out') set.failed(this.instance, 'time-out')
    else if (end !== 'answered') return
    else if (status !== null && status >= 500) set.failed(this.instance, '5xx')
    else set.passed(this.instance)
  }

  private tellEntry(entry: AccessEntry, end: End | 'refused', status: number | null, code?: string): void {
    const { kind, tally, context, instance } = this
    entry.visited({
      release: context.set.release,
      instance: instance.id,
      status: status ?? (this.status === 0 ? null : this.status),
      bytesIn: tally?.bytesIn ?? null,
      bytesOut: tally?.bytesOut ?? null,
      end,
      code: code ?? null,
      kind: kind === 'request' ? null : kind,
      isCopied: context.copied !== null,
    })
  }

  private tellCopied(copied: Copied, end: End): void {
    if (end === 'reset' || end === 'timed-out' || end === 'unreachable') copied.userFailed()
    else if (end !== 'answered') copied.userLeft()
  }

  private countRequest(tally: Tally, end: End, status: number | null): void {
    if (end === 'client-gone') tally.add('clientAborts')
    else if (end === 'reset') tally.add('resets')
    else if (end === 'timed-out') tally.add('timeouts')
    else if (end === 'cut') tally.add('cutOnDrain')
    else if (end === 'unreachable') this.context.counters.unroutable += 1
    if (status !== null) {
      tally.answered(status)
      tally.took(performance.now() - this.startedAt)
      if (end === 'answered') this.context.goal?.answered(status)
      return
    }
    tally.add('requests')
    if (end === 'reset' || end === 'timed-out') tally.add('errors')
  }

  private countLong(tally: Tally, end: End): void {
    if (end === 'cut') tally.add('cutOnDrain')
    if (end !== 'reset') return
    tally.add('resets')
    tally.add('errors')
  }

  /** Ends without a count for the release: the client's fault, or not a request at all. */
  protected forget(own?: Refusal): void {
    if (!this.settled && this.context.entry !== null)
      this.tellEntry(this.context.entry, 'refused', own?.status ?? null, own?.problem.code)
    this.settled = true
    this.context.copied?.userLeft()
    this.instance.leave(this)
  }

  /** Goes on with another active instance of the same release; `false` when all were tried. */
  protected moveOn(): boolean {
    this.tally?.add('connectFailures')
    if (this.isLiveTraffic) this.context.set.failed(this.instance, 'connect failure')
    this.tried ??= []
    this.tried.push(this.instance)
    const next = this.context.set.choose(this.tried)
    if (next === null) return false
    this.tally?.add('retries')
    this.instance.leave(this)
    this.instance = next
    next.enter(this)
    return true
  }

  protected unreachable(timedOut: boolean): Refusal {
    const { release } = this.context.set
    const remedy = 'Try again. Look at the instances of this release.'
    return timedOut
      ? refusal(
          504,
          'INSTANCE_CONNECT_TIMEOUT',
          `No instance of ${release} accepted a connection in time.`,
          remedy,
        )
      : refusal(502, 'INSTANCE_UNREACHABLE', `No instance of ${release} accepted a connection.`, remedy)
  }

  protected resetRefusal(): Refusal {
    const message = `The instance of ${this.context.set.release} closed the connection before it answered.`
    return refusal(
      502,
      'INSTANCE_RESET',
      message,
      'Try again if the request may be repeated. Look at the log of the instance.',
    )
  }

  protected timeoutRefusal(): Refusal {
    const message = `The instance of ${this.context.set.release} did not answer within ${this.context.limits.responseHeadersTimeoutMs} ms.`
    return refusal(504, 'INSTANCE_TIMEOUT', message, 'Try again later. Look at the log of the instance.')
  }

  protected cutRefusal(): Refusal {
    return refusal(
      503,
      'DRAIN_LIMIT',
      'The instance was retired before it answered.',
      'Try again if the request may be repeated.',
    )
  }
}
