import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { takesPart } from '../core/shared/participants.ts'
import type { RouteSet, ServiceRoutes } from '../core/shared/routes.ts'
import type { Seat } from '../core/shared/seats.ts'
import type { RouteRule, StickyRoute, VariantRoute } from '../core/shared/side-routes.ts'
import { cookieIn, setCookie } from './cookie.ts'
import type { Goal, Goals } from './goals.ts'
import { headerIn, matches, ruledBy } from './rules.ts'
import { newUser, StickySplit, userIn } from './sticky.ts'

/** `release` is `null` where the weights decide; `isRuled` when a rule did. `extra` headers belong on the answer, flat. */
export type Aside = {
  release: string | null
  isRuled: boolean
  /** Of an A/B test, for the release to know. */
  variant: string | null
  goal: Goal | null
  extra: readonly string[] | null
}

const UNTOUCHED: Aside = { release: null, isRuled: false, variant: null, goal: null, extra: null }

type SideOptions = {
  sets: readonly RouteSet[]
  trustForwarded: boolean
  /** When these sticky routes began to hold, on the monotonic clock. */
  since: number
  goals: Goals | null
}
type Assignment = Extract<StickyRoute, { kind: 'assign' }>

/** What decides about a request before the weights do: rules first, then the user that it belongs to. */
export class Side {
  private readonly rules: readonly RouteRule[]
  private readonly sticky: StickyRoute | null
  private readonly split: StickySplit | null
  private readonly goals: Goals | null
  private readonly trustForwarded: boolean
  /** Cookies that are older than this side and still come have run out by then. */
  private readonly until: number

  constructor(
    { rules, sticky }: Pick<ServiceRoutes, 'rules' | 'sticky'>,
    { sets, trustForwarded, since, goals }: SideOptions,
  ) {
    this.rules = rules
    this.sticky = sticky
    this.split = sticky?.kind === 'assign' ? new StickySplit(sticky, sets) : null
    this.goals = this.split?.tests === true ? goals : null
    this.trustForwarded = trustForwarded
    this.until = since + (sticky?.forMs ?? 0)
  }

  of(req: IncomingMessage): Aside {
    const ruled = ruledBy(this.rules, req.headers)
    if (ruled !== null) return { ...UNTOUCHED, release: ruled, isRuled: true }
    const { sticky, split } = this
    if (sticky === null) return UNTOUCHED
    if (sticky.kind === 'expire' || split === null) return this.released(req, sticky.cookie)
    if (!takesPart(sticky.test?.where, (match) => matches(match, req.headers))) return this.outside(split)
    const by = sticky.test?.by ?? null
    if (by !== null) return this.named(req, sticky, { split, by })
    const known = userIn(cookieIn(req.headers.cookie, sticky.cookie))
    if (known !== null) return this.seated(req, sticky, split.seatOf(known))
    return split.divides ? this.welcomed(req, sticky, split) : UNTOUCHED
  }

  private welcomed(req: IncomingMessage, sticky: Assignment, split: StickySplit): Aside {
    const id = newUser()
    const seat = split.seatOf(id)
    this.goals?.welcome(seat?.variant ?? null)
    const set = setCookie({
      name: sticky.cookie,
      value: id,
      maxAgeMs: sticky.forMs,
      secure: this.isSecure(req),
    })
    return { ...this.seated(req, sticky, seat), extra: ['set-cookie', set] }
  }

  /** The service says who the user is; who does not say so takes no part. */
  private named(
    req: IncomingMessage,
    sticky: Assignment,
    { split, by }: { split: StickySplit; by: NonNullable<VariantRoute['by']> },
  ): Aside {
    const { headers } = req
    const user = by.in === 'header' ? headerIn(headers, by.name) : cookieIn(headers.cookie, by.name)
    if (user === null || user === '') return this.outside(split)
    return this.seated(req, sticky, split.seatOf(user))
  }

  /** Stays with stable, as by a rule, so that what is counted of stable is the control of the test alone. */
  private outside({ otherwise }: StickySplit): Aside {
    return otherwise === null ? UNTOUCHED : { ...UNTOUCHED, release: otherwise.release, isRuled: true }
  }

  private seated(req: IncomingMessage, sticky: Assignment, seat: Seat | null): Aside {
    if (seat === null) return UNTOUCHED
    const goal = this.goalOf(req, sticky, seat)
    return { ...UNTOUCHED, release: seat.release, variant: seat.variant, goal }
  }

  /** Each user counts once: the mark names the test, so that the next one counts anew. */
  private goalOf(req: IncomingMessage, sticky: Assignment, { variant }: Seat): Goal | null {
    const { goals } = this
    if (goals === null || !goals.isGoal(req.method ?? '', req.url ?? '')) return null
    const name = `${sticky.cookie}-goal`
    const value = encodeURIComponent(sticky.salt)
    if (cookieIn(req.headers.cookie, name) === value) return null
    const secure = this.isSecure(req)
    return goals.goalOf(variant, setCookie({ name, value, maxAgeMs: sticky.forMs, secure }))
  }

  private released(req: IncomingMessage, name: string): Aside {
    if (cookieIn(req.headers.cookie, name) === null || performance.now() > this.until) return UNTOUCHED
    const set = setCookie({ name, value: '', maxAgeMs: 0, secure: this.isSecure(req) })
    return { ...UNTOUCHED, extra: ['set-cookie', set] }
  }

  /** The client speaks TLS with us, or with whoever stands in front of us and may be believed. */
  private isSecure({ socket, headers }: IncomingMessage): boolean {
    return socket instanceof TLSSocket || (this.trustForwarded && headers['x-forwarded-proto'] === 'https')
  }
}
