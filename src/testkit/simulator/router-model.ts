import type { Effect } from '../../core/rollout/due.ts'
import type { MirrorRoute } from '../../core/shared/mirror.ts'
import type { Problem } from '../../core/shared/problem.ts'
import { problem } from '../../core/shared/problem.ts'
import type { InstanceTraffic, RouterState } from '../../core/shared/router-state.ts'
import { ServiceRoutes } from '../../core/shared/routes.ts'
import { NO_SIDE_ROUTES, type SideRoutes } from '../../core/shared/side-routes.ts'
import type { FencingToken } from '../../core/shared/token.ts'
import { compareTokens } from '../../core/shared/token.ts'
import type { ServiceCounts, ShadowCounts, TrafficCounts } from '../../core/shared/traffic-counts.ts'
import { shadowOf, trafficOf } from '../traffic.ts'

type RouterEffect = Extract<Effect, { kind: 'set-routes' | 'finalize' }>
/** Share of requests that fail, the latency bucket they fall in, and the share that is never answered. */
export type Quality = {
  errorShare: number
  bucket: number
  hangShare?: number
  /** Of its answers in the shadow, so many are not what the user got. */
  differShare?: number
}

const GOOD: Quality = { errorShare: 0, bucket: 5 }
/** Routes in force, and exact counts of a steady stream of requests that follows them. */
export function createRouterModel(name = 'router') {
  let token: FencingToken | null = null
  let sets: RouterState['sets'] = []
  let side: SideRoutes = NO_SIDE_ROUTES
  let reverted: RouterState['reverted'] = null
  let refusing: Problem | null = null
  let boot = 1
  let variants: ServiceCounts['variants']
  let counts = new Map<string, TrafficCounts>()
  let unroutable = 0
  let closed = 0
  let listening = false
  let draining: InstanceTraffic[] = []
  let ejected: InstanceTraffic[] = []
  let copies: ShadowCounts | null = null
  let silent = false
  const owed = new Map<string, number>()
  const qualities = new Map<string, Quality>()
  const written: Record<string, number>[] = []

  function perform(effect: RouterEffect): Problem | null {
    if (refusing !== null) return refusing
    const order = token === null ? 1 : compareTokens(effect.token, token)
    if (order < 0) return problem('STALE_TOKEN', { message: 'an older token', remedy: 'none' })
    if (effect.kind === 'finalize') {
      sets = []
      side = NO_SIDE_ROUTES
      token = null
      listening = false
      return null
    }
    if (order === 0) return null
    const drain = { requestsMs: 0, websocketsMs: 0 }
    const listen = { host: '127.0.0.1', port: 8080 }
    const onControllerLoss = { kind: 'hold' as const }
    ServiceRoutes.parse({
      service: 'shop.local',
      token: effect.token,
      listen,
      stable: effect.stable,
      sets: effect.routes,
      ...effect.side,
      drain,
      onControllerLoss,
      probeKey: 'k',
    })
    token = effect.token
    sets = effect.routes
    side = effect.side
    reverted = null
    listening = true
    written.push(weights())
    return null
  }

  const weights = (): Record<string, number> =>
    Object.fromEntries(sets.map(({ release, weightPermille }) => [release, weightPermille]))

  /** Whole requests; what is left of a share is carried to the next tick, so that shares are exact. */
  function owedNow(key: string, amount: number): number {
    const total = (owed.get(key) ?? 0) + amount
    const whole = Math.floor(total + 1e-9)
    owed.set(key, total - whole)
    return whole
  }

  function serve(requests: number): void {
    if (side.closed !== null) closed += owedNow('closed', requests)
    if (sets.length === 0) return
    if (side.mirror !== null && reverted === null) copy(side.mirror, requests)
    for (const { release, weightPermille } of sets) {
      const quality = qualities.get(release) ?? GOOD
      const { hangShare = 0 } = quality
      const served = owedNow(release, ((1 - hangShare) * requests * weightPermille) / 1000)
      counts.set(release, grown(counts.get(release) ?? trafficOf(), { release, key: release }, served))
    }
  }

  function grown(
    before: TrafficCounts,
    { release, key }: { release: string; key: string },
    served: number,
  ): TrafficCounts {
    const { errorShare, bucket } = qualities.get(release) ?? GOOD
    const errors = Math.min(served, owedNow(`${key} errors`, served * errorShare))
    return {
      ...before,
      requests: before.requests + served,
      errors: before.errors + errors,
      latencyBuckets: before.latencyBuckets.map((count, index) => count + (index === bucket ? served : 0)),
    }
  }

  /** All requests could be copied, and the same ones fail on both sides. */
  function copy({ salt, release, sharePermille }: MirrorRoute, requests: number): void {
    const user = sets.find(({ weightPermille }) => weightPermille > 0)?.release
    const pairs = owedNow(`${release} copies`, (requests * sharePermille) / 1000)
    if (user === undefined || user === release) return
    const before = copies?.salt === salt ? copies : shadowOf(salt, release)
    const candidate = grown(before.candidate, { release, key: `${release} copied` }, pairs)
    const stable = grown(before.stable, { release: user, key: `${user} copied` }, pairs)
    const failed = Math.max(candidate.errors - before.candidate.errors, stable.errors - before.stable.errors)
    const answered = pairs - failed
    const { differShare = 0 } = qualities.get(release) ?? GOOD
    copies = {
      ...before,
      ...{ candidate, stable, answered: before.answered + answered },
      bodyDiffers: before.bodyDiffers + owedNow(`${release} differ`, answered * differShare),
    }
  }

  return {
    perform,
    serve,
    weights,
    /** Where requests go besides the weights. */
    side: (): SideRoutes => side,
    /** Every table of weights ever put in force, in order. */
    written: (): readonly Record<string, number>[] => written,
    isListening: (): boolean => listening,
    state: (): RouterState => ({
      service: 'shop.local',
      boot: `${name}-${boot}`,
      token,
      listening: listening ? { host: '127.0.0.1', port: 8080 } : null,
      sets,
      ...(side.closed === null || reverted !== null ? {} : { closed: side.closed }),
      instances: [...draining, ...ejected],
      reverted,
    }),
    counts: (): ServiceCounts => ({
      service: 'shop.local',
      boot: `${name}-${boot}`,
      releases: [...counts].map(([release, total]) => ({ release, total, routes: {} })),
      unroutable,
      ...(closed === 0 ? {} : { closed }),
      refused: 0,
      ...(variants === undefined ? {} : { variants }),
      ...(copies === null ? {} : { shadow: copies }),
    }),
    /** What was counted of the arms of an A/B test. */
    countVariants: (to: ServiceCounts['variants']): void => {
      variants = to
    },
    quality: (release: string, quality: Partial<Quality>): unknown =>
      qualities.set(release, { ...GOOD, ...quality }),
    refuse: (with_: Problem | null): void => {
      refusing = with_
    },
    /** Somebody writes weights past the controller: the token stays. */
    edit: (to: Record<string, number>): void => {
      sets = sets.map((set) => ({ ...set, weightPermille: to[set.release] ?? 0 }))
    },
    /** Instances that left the routes this long ago and still have a request; nothing else is said about instances. */
    drain: (instances: readonly { id: string; release: string }[], sinceMs: number): void => {
      const drain = { done: false, sinceMs, cut: [], cutTotal: 0 }
      draining = instances.map(({ id, release }) => ({ id, release, inFlight: 1, websockets: 0, drain }))
    },
    /** It does not answer any more. */
    silence: (for_: boolean): void => {
      silent = for_
    },
    isSilent: (): boolean => silent,
    /** These fail what users ask of them, and are left out for the so manieth time in a row. */
    eject: (instances: readonly { id: string; release: string }[], times: number): void => {
      const out = { since: 0, until: 10_000, times, why: 'tried again, and failed: 5xx' }
      ejected = instances.map(({ id, release }) => ({
        ...{ id, release, inFlight: 0, websockets: 0, drain: null },
        ejected: out,
      }))
    },
    /** The data plane goes back to stable by itself. */
    revert: (stable: string, at: number): void => {
      reverted = { at, fromWeights: weights() }
      sets = sets.map((set) => ({ ...set, weightPermille: set.release === stable ? 1000 : 0 }))
    },
    /** A new process with nothing in memory. */
    forget: (): void => {
      boot += 1
      token = null
      sets = []
      side = NO_SIDE_ROUTES
      counts = new Map()
      copies = null
      unroutable = 0
      closed = 0
    },
  }
}
