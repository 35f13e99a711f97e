import { bucketOf, LATENCY_BUCKETS, quantileMs } from '../../core/shared/histogram.ts'

/** Why a request got no complete correct answer, as far as a client can tell. */
export type LostKind =
  | 'refused'
  | 'reset'
  | 'truncated'
  | 'timeout'
  | 'data-plane'
  /** Turned away because the service is closed by decision, as the plan said. */
  | 'closed'
  | 'malformed'
  | 'mixed-up'
  | 'other'

/** How one request ended. `latencyMs` counts from the scheduled time; `null` when the client itself was slow on purpose. */
export type Outcome =
  | { kind: 'answered'; status: number; version: string; latencyMs: number | null }
  /** `wasIdle`: a reused connection was reset before the first byte of the answer. */
  | { kind: 'lost'; lost: LostKind; wasIdle?: boolean; message: string }

/** `at` is Unix time in milliseconds. */
export type LostSample = { at: number; kind: LostKind; message: string }

/**
 * Counters since the start. Always `sent = answered + lost.count + inFlight`, and
 * `scheduled = sent + notSent`: nothing disappears.
 */
export type LoadStats = {
  elapsedMs: number
  scheduled: number
  sent: number
  /** Due while `maxInFlight` requests were waiting already: the client's own limit, never silently skipped. */
  notSent: number
  inFlight: number
  /** Requests that went out a second time, because an idle connection was reset under them. Each is in `sent` once. */
  sentAgain: number
  /** Complete answers, errors of the version included. */
  answered: number
  /** Complete answers with 5xx: the version's own fault, not lost. */
  errors: number
  byStatus: Record<string, number>
  byVersion: Record<string, number>
  errorsByVersion: Record<string, number>
  /** The first samples of each kind are kept: they show how trouble began. */
  lost: { count: number; byKind: Partial<Record<LostKind, number>>; samples: LostSample[] }
  latency: {
    buckets: number[]
    p50Ms: number | null
    p95Ms: number | null
    p99Ms: number | null
    maxMs: number
  }
  /** The longest a request left after its time because this process was busy. It is part of the latencies. */
  maxSendDelayMs: number
}

/** Of each kind: enough to see a pattern, small enough to print. */
const SAMPLE_LIMIT = 20

/** Collects outcomes; `snapshot` copies, so that a reader never sees numbers move. */
export class Tally {
  private readonly startedAtMs = performance.now()
  private readonly buckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  private readonly samples: LostSample[] = []
  private readonly lostByKind: Partial<Record<LostKind, number>> = {}
  private readonly byStatus: Record<string, number> = {}
  private readonly byVersion: Record<string, number> = {}
  private readonly errorsByVersion: Record<string, number> = {}
  private sent = 0
  private notSent = 0
  private sentAgain = 0
  private answered = 0
  private errors = 0
  private lost = 0
  private maxMs = 0
  private maxSendDelayMs = 0

  get inFlight(): number {
    return this.sent - this.answered - this.lost
  }

  countSent(delayMs: number): void {
    this.sent += 1
    this.maxSendDelayMs = Math.max(this.maxSendDelayMs, delayMs)
  }

  countNotSent(): void {
    this.notSent += 1
  }

  countSentAgain(): void {
    this.sentAgain += 1
  }

  count(outcome: Outcome): void {
    switch (outcome.kind) {
      case 'answered':
        this.countAnswered(outcome)
        break
      case 'lost':
        this.countLost(outcome)
        break
    }
  }

  snapshot(): LoadStats {
    const buckets = [...this.buckets]
    const quantile = (share: number) => atMost(quantileMs(buckets, share), this.maxMs)
    return {
      elapsedMs: Math.round(performance.now() - this.startedAtMs),
      scheduled: this.sent + this.notSent,
      sent: this.sent,
      notSent: this.notSent,
      inFlight: this.inFlight,
      sentAgain: this.sentAgain,
      answered: this.answered,
      errors: this.errors,
      byStatus: { ...this.byStatus },
      byVersion: { ...this.byVersion },
      errorsByVersion: { ...this.errorsByVersion },
      lost: { count: this.lost, byKind: { ...this.lostByKind }, samples: [...this.samples] },
      latency: {
        buckets,
        p50Ms: quantile(0.5),
        p95Ms: quantile(0.95),
        p99Ms: quantile(0.99),
        maxMs: this.maxMs,
      },
      maxSendDelayMs: this.maxSendDelayMs,
    }
  }

  private countAnswered({ status, version, latencyMs }: Extract<Outcome, { kind: 'answered' }>): void {
    this.answered += 1
    increment(this.byStatus, String(status))
    increment(this.byVersion, version)
    if (status >= 500) {
      this.errors += 1
      increment(this.errorsByVersion, version)
    }
    if (latencyMs === null) return
    const bucket = bucketOf(latencyMs)
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1
    this.maxMs = Math.max(this.maxMs, latencyMs)
  }

  private countLost({ lost, message }: Extract<Outcome, { kind: 'lost' }>): void {
    this.lost += 1
    increment(this.lostByKind, lost)
    if ((this.lostByKind[lost] ?? 0) <= SAMPLE_LIMIT)
      this.samples.push({ at: Date.now(), kind: lost, message })
  }
}

/** Interpolation inside a bucket can point past the slowest answer there was. */
const atMost = (value: number | null, limit: number) => (value === null ? null : Math.min(value, limit))

function increment<Key extends string>(counts: Partial<Record<Key, number>>, key: Key): void {
  counts[key] = (counts[key] ?? 0) + 1
}
