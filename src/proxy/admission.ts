import type { ServiceLimits } from '../core/shared/request-policy.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import { type Refusal, refusal } from './refusal.ts'

export type Limited = NonNullable<RouterState['limited']>

/** A request for as long as it takes a place: a response, or the socket of a WebSocket. */
export type Guest = { once(event: 'close', listener: () => void): unknown }

/** Who may come in: so many at the same time, and so many a second by a bucket of tokens. Goes on over changes of routes. */
export class Admission {
  readonly limited: Limited = { requests: 0, rate: 0 }
  private readonly service: string
  private readonly now: () => number
  private limits: ServiceLimits = {}
  private inside = 0
  private tokens = 0
  /** When the tokens were counted last, on the monotonic clock. */
  private countedAt = 0

  constructor(service: string, now: () => number = () => performance.now()) {
    this.service = service
    this.now = now
  }

  take(limits: ServiceLimits): void {
    const { rate } = limits
    if (rate !== undefined && this.limits.rate === undefined) {
      this.tokens = rate.burst
      this.countedAt = this.now()
    }
    this.limits = limits
  }

  /** Nothing is asked of anybody. */
  get isOpen(): boolean {
    return this.limits.requests === undefined && this.limits.rate === undefined
  }

  /** What the guest is answered instead; `null` when it is in, and out again when it closes. */
  enter(guest: Guest): Refusal | null {
    const { requests, rate } = this.limits
    if (requests !== undefined && this.inside >= requests) {
      this.limited.requests += 1
      return busy(this.service, requests)
    }
    if (rate !== undefined) {
      const waitMs = this.takeToken(rate)
      if (waitMs > 0) {
        this.limited.rate += 1
        return tooOften(this.service, rate.perSecond, waitMs)
      }
    }
    this.inside += 1
    guest.once('close', () => {
      this.inside -= 1
    })
    return null
  }

  /** How long until there is a token; 0 when one was taken. */
  private takeToken({ perSecond, burst }: NonNullable<ServiceLimits['rate']>): number {
    const now = this.now()
    this.tokens = Math.min(burst, this.tokens + ((now - this.countedAt) / 1000) * perSecond)
    this.countedAt = now
    if (this.tokens < 1) return ((1 - this.tokens) / perSecond) * 1000
    this.tokens -= 1
    return 0
  }
}

const busy = (service: string, limit: number): Refusal => ({
  ...refusal(
    503,
    'SERVICE_BUSY',
    `${service} works on ${limit} requests, as many as it takes at the same time.`,
    'Try again in a second.',
  ),
  retryAfterS: 1,
})

function tooOften(service: string, perSecond: number, waitMs: number): Refusal {
  const retryAfterS = Math.max(1, Math.ceil(waitMs / 1000))
  const text = `${service} takes ${perSecond} requests a second, and there were more.`
  const remedy = `Come back in ${retryAfterS} ${retryAfterS === 1 ? 'second' : 'seconds'}.`
  const refused = refusal(429, 'RATE_EXCEEDED', text, remedy)
  return { ...refused, problem: { ...refused.problem, retryable: true }, retryAfterS }
}
