import { Counters } from './counters.ts'
import { bucketOf } from './histogram.ts'
import { NO_PAIRS, type PairCounts, type ShadowCounts } from './traffic-counts.ts'

/** Whether two answers say the same; `unknown` where nobody looks: not at all, or not that deep. */
export type Sameness = 'same' | 'different' | 'unknown'

/** How one side of a pair ended. `ms` from the moment at which the request was complete. */
export type SideEnd =
  | { kind: 'answered'; status: number; ms: number }
  | { kind: 'failed'; by: 'connectFailures' | 'resets' | 'timeouts' }

const ERROR_STATUS = 500

/** Counts of the pairs of one salt, since this process began to count it. */
export class MirrorCounts {
  readonly salt: string
  readonly release: string
  private readonly candidate = new Counters()
  private readonly stable = new Counters()
  private readonly pairs: PairCounts = { ...NO_PAIRS }

  constructor(salt: string, release: string) {
    this.salt = salt
    this.release = release
  }

  /** Of a request that says nothing about the shadow. */
  passOver(why: 'busy' | 'large' | 'unfinished'): void {
    this.pairs[why] += 1
  }

  /** Both at once, so that both sides always hold the same requests. */
  compare(user: SideEnd, shadow: SideEnd, bodies: () => Sameness): void {
    count(this.stable, user)
    count(this.candidate, shadow)
    if (isError(user) || isError(shadow)) return
    this.pairs.answered += 1
    if (classOf(user) !== classOf(shadow)) this.pairs.statusDiffers += 1
    else this.countBodies(bodies())
  }

  report(): ShadowCounts {
    const { salt, release, candidate, stable } = this
    return { salt, release, ...this.pairs, candidate, stable }
  }

  private countBodies(sameness: Sameness): void {
    if (sameness === 'different') this.pairs.bodyDiffers += 1
    if (sameness === 'unknown') this.pairs.bodyUnknown += 1
  }
}

const isError = (end: SideEnd): boolean => end.kind === 'failed' || end.status >= ERROR_STATUS

const classOf = (end: SideEnd): number => (end.kind === 'failed' ? 0 : Math.floor(end.status / 100))

function count(counters: Counters, end: SideEnd): void {
  if (end.kind === 'answered') {
    counters.answered(end.status)
    counters.took(bucketOf(end.ms))
    return
  }
  counters.requests += 1
  counters.errors += 1
  counters[end.by] += 1
}
