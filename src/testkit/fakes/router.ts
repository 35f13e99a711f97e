import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { InstanceTraffic, RouterState } from '../../core/shared/router-state.ts'
import type { RouteInstance, RouteSet, ServiceRoutes } from '../../core/shared/routes.ts'
import { compareTokens, type FencingToken } from '../../core/shared/token.ts'
import { TOTAL_PERMILLE } from '../../core/shared/weight.ts'
import type { Router } from '../../ports/router.ts'
import { sameRoutes } from '../../ports/same-routes.ts'

/** What was asked of the router, whether it was granted or not, in order. */
export type RouterWrite =
  | { kind: 'routes'; at: number; routes: ServiceRoutes; outcome: string }
  | { kind: 'finalize'; at: number; service: string; token: FencingToken; outcome: string }

type Entry = {
  routes: ServiceRoutes | null
  sets: RouteSet[]
  reverted: RouterState['reverted']
  dealt: Map<string, number>
}
type Held = { instance: RouteInstance; release: string; since: number; cut: () => void }
type Fault = (routes: ServiceRoutes) => Promise<Problem | null>

/**
 * A router in memory that records every write, and can refuse, be slow, apply a half, or be edited from outside.
 * Drains end as soon as `advance` says that their time is over; time comes from the given clock.
 */
export class FakeRouter implements Router {
  readonly kind = 'fake'
  readonly writes: RouterWrite[] = []
  boot = 'fake-boot-1'
  private readonly entries = new Map<string, Entry>()
  private readonly highest = new Map<string, FencingToken>()
  private readonly drains = new Map<string, InstanceTraffic>()
  private readonly held: Held[] = []
  private readonly faults: Fault[] = []
  private readonly now: () => number
  private unreachable: Problem | null = null

  constructor(now: () => number = Date.now) {
    this.now = now
  }

  async reconcile(): Promise<Result<void>> {
    return this.unreachable === null ? ok(undefined) : failed(this.unreachable)
  }

  async setRoutes(routes: ServiceRoutes): Promise<Result<void>> {
    const result = await this.trySetRoutes(routes)
    this.writes.push({ kind: 'routes', at: this.now(), routes, outcome: outcomeOf(result) })
    return result
  }

  async readState(service: string): Promise<Result<RouterState>> {
    if (this.unreachable !== null) return failed(this.unreachable)
    this.endDrains(service)
    const entry = this.entries.get(service)
    const routes = entry?.routes ?? null
    const closed = entry?.reverted === null ? (routes?.closed ?? null) : null
    return ok({
      service,
      boot: this.boot,
      token: routes?.token ?? null,
      listening: routes === null ? null : { host: routes.listen.host, port: routes.listen.port || 8080 },
      sets: structuredClone(entry?.sets ?? []),
      ...(closed === null ? {} : { closed }),
      instances: this.traffic(service),
      reverted: entry?.reverted ?? null,
    })
  }

  async finalize({ token, service }: { token: FencingToken; service: string }): Promise<Result<void>> {
    const known = this.entries.get(service)?.routes ?? null
    const result =
      this.unreachable === null ? this.fence(service, token, known === null) : failed(this.unreachable)
    if (result.kind === 'ok' && known !== null) {
      this.startDrains(service, [])
      this.entries.delete(service)
      this.highest.set(service, token)
    } else if (result.kind === 'ok') this.highest.set(service, token)
    this.writes.push({ kind: 'finalize', at: this.now(), service, token, outcome: outcomeOf(result) })
    return result
  }

  /** The next `setRoutes` fails with this and changes nothing. */
  refuseNext(with_: Problem): void {
    this.faults.push(async () => with_)
  }

  /** The next `setRoutes` takes effect but its answer is lost: it fails with this. */
  applyThenFailNext(with_: Problem): void {
    this.faults.push(async (routes) => {
      this.apply(routes)
      return with_
    })
  }

  /** The next `setRoutes` changes only the first set's weight and then fails, as a router of many parts may. */
  halfApplyNext(with_: Problem): void {
    this.faults.push(async (routes) => {
      const entry = this.entries.get(routes.service)
      const [first] = routes.sets
      if (entry !== undefined && first !== undefined) {
        entry.sets = entry.sets.map((set) => (set.release === first.release ? structuredClone(first) : set))
      }
      return with_
    })
  }

  /** The next `setRoutes` waits for the returned function to be called. */
  delayNext(): () => void {
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    this.faults.push(async () => {
      await gate
      return null
    })
    return () => release()
  }

  /** All calls fail with this until `null` is given. */
  setUnreachable(why: Problem | null): void {
    this.unreachable = why
  }

  /** Somebody else changes weights behind the controller's back. */
  editFromOutside(service: string, weights: Record<string, number>): void {
    const entry = this.entryOf(service)
    entry.sets = entry.sets.map((set) => ({
      ...set,
      weightPermille: weights[set.release] ?? set.weightPermille,
    }))
  }

  /** The data plane lost its controller and went back to stable by itself. */
  revertFromOutside(service: string): void {
    const entry = this.entryOf(service)
    const fromWeights = Object.fromEntries(entry.sets.map((set) => [set.release, set.weightPermille]))
    entry.reverted = { at: this.now(), fromWeights }
    const stable = entry.routes?.stable
    entry.sets = entry.sets.map((set) => ({
      ...set,
      weightPermille: set.release === stable ? TOTAL_PERMILLE : 0,
    }))
  }

  /** Forgets everything, tokens included, as after the loss of its disk. */
  wipe(): void {
    this.entries.clear()
    this.highest.clear()
    this.drains.clear()
    this.boot = `${this.boot}+`
  }

  /** Deals requests by the weights in force, exactly over each thousand, and answers who got how many. */
  send(service: string, count: number): Record<string, number> {
    const entry = this.entryOf(service)
    const served: Record<string, number> = {}
    for (let turn = 0; turn < count; turn += 1) {
      const set = nextSet(entry)
      served[set.release] = (served[set.release] ?? 0) + 1
    }
    return served
  }

  /** What a request is told while the service is closed. */
  turnedAway(service: string): { status: number; retryAfter: string } {
    const closed = this.entryOf(service).routes?.closed ?? null
    if (closed === null) throw new Error(`the fake router serves ${service}`)
    return { status: 503, retryAfter: String(closed.retryAfterS) }
  }

  /** A request that stays in flight at the next release until it is cut. */
  hold(service: string): { ended: Promise<void> } {
    const set = nextSet(this.entryOf(service))
    const instance = set.instances.find(({ state }) => state === 'active')
    if (instance === undefined) throw new Error(`${set.release} has no active instance`)
    const ended = new Promise<void>((resolve) => {
      this.held.push({ instance, release: set.release, since: this.now(), cut: resolve })
    })
    return { ended }
  }

  private async trySetRoutes(routes: ServiceRoutes): Promise<Result<void>> {
    if (this.unreachable !== null) return failed(this.unreachable)
    const known = this.entries.get(routes.service)?.routes ?? null
    const fenced = this.fence(routes.service, routes.token, sameRoutes(known, routes))
    if (fenced.kind === 'failed') return fenced
    const fault = await this.faults.shift()?.(routes)
    if (fault !== undefined && fault !== null) return failed(fault)
    const highest = this.highest.get(routes.service)
    if (highest === undefined || compareTokens(routes.token, highest) > 0) this.apply(routes)
    return ok(undefined)
  }

  private fence(service: string, token: FencingToken, repeats: boolean): Result<void> {
    const highest = this.highest.get(service)
    const order = highest === undefined ? 1 : compareTokens(token, highest)
    if (order < 0) return failed(refused('STALE_TOKEN', service))
    return order > 0 || repeats ? ok(undefined) : failed(refused('TOKEN_REUSED', service))
  }

  private apply(routes: ServiceRoutes): void {
    const copy = structuredClone(routes)
    this.startDrains(routes.service, copy.sets)
    this.entries.set(routes.service, {
      routes: copy,
      sets: structuredClone(copy.sets),
      reverted: null,
      dealt: new Map(),
    })
    this.highest.set(routes.service, copy.token)
  }

  /** Everything that is not active after the change drains. */
  private startDrains(service: string, after: readonly RouteSet[]): void {
    const active = new Set(
      after.flatMap((set) => set.instances.filter(isActive).map(({ id }) => keyOf(service, set.release, id))),
    )
    for (const key of this.drains.keys()) if (active.has(key)) this.drains.delete(key)
    const known = [...(this.entries.get(service)?.sets ?? []), ...after]
    for (const set of known) {
      for (const { id } of set.instances) {
        const key = keyOf(service, set.release, id)
        if (active.has(key) || this.drains.has(key)) continue
        const drain = { done: false, sinceMs: 0, cut: [], cutTotal: 0 }
        this.drains.set(key, { id, release: set.release, inFlight: 0, websockets: 0, drain })
      }
    }
  }

  /** The fake does not wait for drain limits: what is held is cut when the state is read next. */
  private endDrains(service: string): void {
    for (const [key, traffic] of this.drains) {
      if (!key.startsWith(`${service} `) || traffic.drain === null || traffic.drain.done) continue
      const mine = this.held.filter(({ instance, release }) => keyOf(service, release, instance.id) === key)
      for (const held of mine) {
        traffic.drain.cut.push({ route: 'GET /', kind: 'request', ageMs: this.now() - held.since })
        traffic.drain.cutTotal += 1
        this.held.splice(this.held.indexOf(held), 1)
        held.cut()
      }
      traffic.drain.done = true
    }
  }

  private traffic(service: string): InstanceTraffic[] {
    const live = (this.entries.get(service)?.sets ?? []).flatMap((set) =>
      set.instances.filter(isActive).map(({ id }) => ({
        id,
        release: set.release,
        inFlight: this.held.filter(({ instance, release }) => instance.id === id && release === set.release)
          .length,
        websockets: 0,
        drain: null,
      })),
    )
    const drains = [...this.drains]
      .filter(([key]) => key.startsWith(`${service} `))
      .map(([, traffic]) => traffic)
    return structuredClone([...live, ...drains])
  }

  private entryOf(service: string): Entry {
    const entry = this.entries.get(service)
    if (entry === undefined) throw new Error(`the fake router knows no service ${service}`)
    return entry
  }
}

const isActive = ({ state }: RouteInstance): boolean => state === 'active'
const keyOf = (service: string, release: string, id: string): string => `${service} ${release} ${id}`
const outcomeOf = (result: Result<unknown>): string => (result.kind === 'ok' ? 'ok' : result.problem.code)

/** The set that is furthest behind its share: exact over every thousand. */
function nextSet({ sets, dealt }: Entry): RouteSet {
  const total = [...dealt.values()].reduce((sum, count) => sum + count, 0) + 1
  const behind = (set: RouteSet) =>
    (total * set.weightPermille) / TOTAL_PERMILLE - (dealt.get(set.release) ?? 0)
  const [next] = sets.filter((set) => set.weightPermille > 0).sort((a, b) => behind(b) - behind(a))
  if (next === undefined) throw new Error('no set has weight')
  dealt.set(next.release, (dealt.get(next.release) ?? 0) + 1)
  return next
}

const refused = (code: 'STALE_TOKEN' | 'TOKEN_REUSED', service: string): Problem =>
  problem(code, {
    message: `The token for ${service} was refused.`,
    remedy: 'Read the state and use a newer token.',
  })
