import type { IncomingMessage } from 'node:http'
import type { MirrorRoute } from '../../core/shared/mirror.ts'
import type { MirrorCounts } from '../../core/shared/mirror-counts.ts'
import { fitsPattern } from '../../core/shared/pattern.ts'
import type { Copied } from '../copied.ts'
import type { LiveInstance } from '../instance.ts'
import type { Limits } from '../limits.ts'
import type { LiveSet } from '../live-set.ts'
import type { Head } from '../request-head.ts'
import { Split } from '../split.ts'
import { AnswerPrint } from './answer-print.ts'
import { BodyComparer } from './compare-bodies.ts'
import { type CopiedRequest, Copy } from './copy.ts'
import { Pair, type PairPlace, type PairResult } from './pair.ts'

const ALL = 1000
const COPIED = 1

type MirrorOptions = { counts: MirrorCounts; limits: Limits; setOf(release: string): LiveSet | null }

/**
 * Copies a share of the requests to a release whose answers nobody gets. Nothing here is waited for by a user: the visit
 * tells what it does, and copies come and go beside it. There are `shadowCopies` places; without a free one a request is
 * not copied, and counted as such.
 */
export class Mirror implements PairPlace {
  readonly route: MirrorRoute
  readonly bodyBytes: number
  readonly answerBytes: number
  private readonly counts: MirrorCounts
  private readonly limits: Limits
  private readonly setOf: MirrorOptions['setOf']
  private readonly comparer: BodyComparer
  private readonly split: Split
  private readonly open = new Set<Pair>()

  constructor(route: MirrorRoute, { counts, limits, setOf }: MirrorOptions) {
    this.route = route
    this.counts = counts
    this.limits = limits
    this.setOf = setOf
    this.bodyBytes = limits.shadowBodyBytes
    this.answerBytes = limits.shadowAnswerBytes
    this.comparer = new BodyComparer(route.bodies)
    this.split = new Split([ALL - route.sharePermille, route.sharePermille])
  }

  /** `null` where this request is not copied. `to`: the release that answers the user. */
  copyOf(req: IncomingMessage, head: Head, to: string): Copied | null {
    const method = req.method ?? ''
    if (to === this.route.release || !this.mayCopy(method, head.path)) return null
    if (this.split.next() !== COPIED) return null
    if (head.contentLength > this.bodyBytes) return this.passOver('large')
    if (this.open.size >= this.limits.shadowCopies) return this.passOver('busy')
    const headers = [...head.headers, 'sluice-shadow', '1']
    const pair = new Pair(this, { method, path: head.path, headers })
    this.open.add(pair)
    return pair
  }

  print(): AnswerPrint {
    return new AnswerPrint(this.route.bodies.kind, this.bodyBytes)
  }

  send(request: CopiedRequest, pair: Pair): Copy | null {
    const set = this.setOf(this.route.release)
    const instance = set?.choose(null) ?? null
    return set === null || instance === null ? null : new Copy(request, { set, instance }, pair)
  }

  ended(pair: Pair, result: PairResult): void {
    this.open.delete(pair)
    if (result.kind === 'nothing') {
      this.counts.passOver(result.why)
      return
    }
    const { user, shadow, prints } = result
    this.counts.compare(user, shadow, () => this.comparer.compare(prints.user, prints.shadow))
  }

  /** What is on its way to an instance that leaves says nothing about the release. */
  letGo(isActive: (instance: LiveInstance) => boolean): void {
    for (const pair of [...this.open]) if (pair.isWith((instance) => !isActive(instance))) pair.drop()
  }

  sweep(now: number): void {
    for (const pair of [...this.open]) if (now - pair.startedAt > this.limits.shadowTimeoutMs) pair.expire()
  }

  /** Ends all copies at once. */
  close(): void {
    for (const pair of [...this.open]) pair.drop()
  }

  private mayCopy(method: string, url: string): boolean {
    const end = url.indexOf('?')
    const path = end < 0 ? url : url.slice(0, end)
    return this.route.requests.some(
      (one) => one.method === method && (one.path === '*' || fitsPattern(one.path, path)),
    )
  }

  private passOver(why: 'large' | 'busy'): null {
    this.counts.passOver(why)
    return null
  }
}
