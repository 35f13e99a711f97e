import type { IncomingHttpHeaders } from 'node:http'
import type { SideEnd } from '../../core/shared/mirror-counts.ts'
import type { Copied } from '../copied.ts'
import type { LiveInstance } from '../instance.ts'
import type { AnswerPrint } from './answer-print.ts'
import type { CopiedRequest, Copy, ShadowListener } from './copy.ts'

/** What a pair needs of the mirror that it belongs to. */
export type PairPlace = {
  readonly bodyBytes: number
  readonly answerBytes: number
  print(): AnswerPrint
  /** Sends the copy; `null` where nobody could take it. */
  send(request: CopiedRequest, pair: Pair): Copy | null
  /** The pair is over; its place is free. */
  ended(pair: Pair, result: PairResult): void
}

export type PairResult =
  | { kind: 'both'; user: SideEnd; shadow: SideEnd; prints: { user: AnswerPrint; shadow: AnswerPrint } }
  | { kind: 'nothing'; why: 'large' | 'unfinished' }

/**
 * One request of a user and its copy, until both have ended. Holds at most `bodyBytes` of the request and of each answer, and
 * lets go of all of it at its end.
 */
export class Pair implements Copied, ShadowListener {
  readonly startedAt = performance.now()
  private readonly place: PairPlace
  private readonly request: Omit<CopiedRequest, 'body'>
  private readonly prints: { user: AnswerPrint; shadow: AnswerPrint }
  private body: Buffer[] = []
  private bodyBytes = 0
  private askedAt: number | null = null
  private copy: Copy | null = null
  private user: SideEnd | null = null
  private shadow: SideEnd | null = null
  private over = false

  constructor(place: PairPlace, request: Omit<CopiedRequest, 'body'>) {
    this.place = place
    this.request = request
    this.prints = { user: place.print(), shadow: place.print() }
  }

  take(chunk: Buffer): void {
    if (this.over || this.askedAt !== null) return
    this.bodyBytes += chunk.length
    if (this.bodyBytes > this.place.bodyBytes) this.end({ kind: 'nothing', why: 'large' })
    // A copy of its own: a piece of a larger buffer would keep all of it.
    else this.body.push(Buffer.from(chunk))
  }

  ask(): void {
    if (this.over || this.askedAt !== null) return
    this.askedAt = performance.now()
    const body = this.body.length === 0 ? null : Buffer.concat(this.body)
    this.body = []
    const copy = this.place.send({ ...this.request, body }, this)
    if (copy === null) this.drop()
    else {
      this.copy = copy
      copy.start()
    }
  }

  userBegan(status: number, headers: IncomingHttpHeaders): void {
    if (!this.over) this.prints.user.begin(status, headers)
  }

  userData(chunk: Buffer): void {
    if (!this.over) this.read(this.prints.user, chunk)
  }

  userEnded(): void {
    if (this.over) return
    // An answer before the request was complete has nothing to be compared with.
    if (this.askedAt === null) this.drop()
    else this.heardUser({ kind: 'answered', status: this.prints.user.status, ms: this.sinceAsked() })
  }

  userFailed(): void {
    if (this.user === null) this.heardUser({ kind: 'failed', by: 'resets' })
  }

  shadowBegan(status: number, headers: IncomingHttpHeaders): void {
    if (!this.over) this.prints.shadow.begin(status, headers)
  }

  shadowData(chunk: Buffer): void {
    if (!this.over) this.read(this.prints.shadow, chunk)
  }

  shadowEnded(): void {
    this.heardShadow({ kind: 'answered', status: this.prints.shadow.status, ms: this.sinceAsked() })
  }

  shadowFailed(by: 'connectFailures' | 'resets'): void {
    this.heardShadow({ kind: 'failed', by })
  }

  /** Its time is up: a shadow that has not answered by now has failed, if the user was answered meanwhile. */
  expire(): void {
    if (this.user === null || this.shadow !== null) this.drop()
    else this.heardShadow({ kind: 'failed', by: 'timeouts' })
  }

  /** Who left after the instance had answered leaves a result behind. */
  userLeft(): void {
    if (this.user === null) this.drop()
  }

  drop(): void {
    this.end({ kind: 'nothing', why: 'unfinished' })
  }

  /** Its copy is on its way there. */
  isWith(isMeant: (instance: LiveInstance) => boolean): boolean {
    return this.copy !== null && this.shadow === null && isMeant(this.copy.instance)
  }

  private sinceAsked(): number {
    return performance.now() - (this.askedAt ?? this.startedAt)
  }

  private read(print: AnswerPrint, chunk: Buffer): void {
    print.take(chunk)
    if (print.bytes > this.place.answerBytes) this.drop()
  }

  private heardUser(end: SideEnd): void {
    if (this.over) return
    this.user = end
    if (this.askedAt === null) this.drop()
    else this.both()
  }

  private heardShadow(end: SideEnd): void {
    if (this.over) return
    this.shadow = end
    this.both()
  }

  private both(): void {
    const { user, shadow, prints } = this
    if (user !== null && shadow !== null) this.end({ kind: 'both', user, shadow, prints })
  }

  private end(result: PairResult): void {
    if (this.over) return
    this.over = true
    this.body = []
    this.copy?.stop()
    this.place.ended(this, result)
  }
}
