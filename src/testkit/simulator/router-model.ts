import type { Effect } from '../../core/rollout/due.ts'
import type { Problem } from '../../core/shared/problem.ts'
import { problem } from '../../core/shared/problem.ts'
import type { InstanceTraffic, RouterState } from '../../core/shared/router-state.ts'
import { ServiceRoutes } from '../../core/shared/routes.ts'
import { NO_SIDE_ROUTES, type SideRoutes } from '../../core/shared/side-routes.ts'
import type { FencingToken } from '../../core/shared/token.ts'
import { compareTokens } from '../../core/shared/token.ts'
import type { ServiceCounts, TrafficCounts } from '../../core/shared/traffic-counts.ts'
import { trafficOf } from '../traffic.ts'

type RouterEffect = Extract<Effect, { kind: 'set-routes' | 'finalize' }>
/** Share of requests that fail, the latency bucket they fall in, and the share that is never answered. */
export type Quality = { errorShare: number; bucket: number; hangShare?: number }

const GOOD: Quality = { errorShare: 0, bucket: 5 }
/** Routes in force, and exact counts of a steady stream of requests that follows them. */
export function createRouterModel() {
  let token: FencingToken | null = null
  let sets: RouterState['sets'] = []
  let side: SideRoutes = NO_SIDE_ROUTES
  let reverted: RouterState['reverted'] = null
  let refusing: Problem | null = null
  let boot = 1
  let variants: ServiceCounts['variants']
  let counts = new Map<string, TrafficCounts>()
  let unroutable = 0
  let listening = false
  let draining: InstanceTraffic[] = []
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
    if (sets.length === 0) return
    for (const { release, weightPermille } of sets) {
      const quality = qualities.get(release) ?? GOOD
      const { hangShare = 0 } = quality
      const served = owedNow(release, ((1 - hangShare) * requests * weightPermille) / 1000)
      const errors = Math.min(served, owedNow(`${release} errors`, served * quality.errorShare))
      const before = counts.get(release) ?? trafficOf()
      const latencyBuckets = before.latencyBuckets.map(
        (count, index) => count + (index === quality.bucket ? served : 0),
      )
      counts.set(release, {
        ...before,
        requests: before.requests + served,
        errors: before.errors + errors,
        latencyBuckets,
      })
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
      boot: `router-${boot}`,
      token,
      listening: listening ? { host: '127.0.0.1', port: 8080 } : null,
      sets,
      instances: draining,
      reverted,
    }),
    counts: (): ServiceCounts => ({
      service: 'shop.local',
      boot: `router-${boot}`,
      releases: [...counts].map(([release, total]) => ({ release, total, routes: {} })),
      unroutable,
      refused: 0,
      ...(variants === undefined ? {} : { variants }),
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
      unroutable = 0
    },
  }
}
