import { expect } from 'vitest'
import type { TlsFiles } from '../../../core/shared/entry.ts'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { Result } from '../../../core/shared/result.ts'
import type { InstanceTraffic, RouterState } from '../../../core/shared/router-state.ts'
import type { RouteInstance, ServiceRoutes } from '../../../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../../../core/shared/side-routes.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import type { MetricSource } from '../../../ports/metric.ts'
import type { Router } from '../../../ports/router.ts'

/** A WebSocket that a user holds, or an upload that takes its time. */
export type LongRequest = {
  /** `complete` when it got all of its answer, `cut` when somebody ended it. */
  ended: Promise<'complete' | 'cut'>
  /** An upload sends its last byte; a WebSocket is closed by the user. */
  finish(): void
}

/** A router under test, with everything around it that the suite needs. A case without its means is skipped with a reason. */
export type RouterSetup = {
  router: Router
  /** Where the service shall listen; port 0 where the router can choose one. */
  listen: ListenAddress
  /** How far a share of 1,000 requests may be off: 0 where the split is exact. */
  tolerance: number
  /** Starts an instance that answers every request with the name of its release. */
  startUpstream(release: string): Promise<RouteInstance>
  /** Sends requests one after the other and answers how many each release served. */
  send(count: number): Promise<Record<string, number>>
  /** Begins a request that its instance never answers; resolves when the instance has it. `ended` resolves when it was cut. */
  hold(): Promise<{ ended: Promise<void> }>
  /** Stops everything. */
  cleanup(): Promise<void>
  /** Another controller with the same data plane: a router object of its own. */
  second?(): Promise<Router>
  /** `setRoutes` in a process of its own, which is killed so long after the call began. */
  killedIn?(routes: ServiceRoutes, afterMs: number): Promise<void>
  /** Weights changed by hand, past the controller; one entry per release, together 1000. */
  edit?(weights: Record<string, number>): Promise<void>
  /** The data plane reads its configuration again, as its users do by hand. */
  reload?(): Promise<void>
  /** An address at which somebody else listens already. */
  takenAddress?(): Promise<ListenAddress>
  /** A WebSocket is open at an instance when this resolves. */
  openWebSocket?(): Promise<LongRequest>
  /** The first half of an upload has reached its instance when this resolves. */
  beginUpload?(): Promise<LongRequest>
  /** One request while the service is closed: what it was told. */
  turnedAway?(): Promise<{ status: number; retryAfter: string | null }>
  /** One request of a user with headers of their own. */
  visit?(request: VisitRequest): Promise<Visit>
  /** What the data plane counts. */
  counts?: MetricSource
  /** What it does in another way, with the reason: the cases about just that are skipped. */
  differs?: Partial<Record<Difference, string>>
  /** A certificate for these names and its key, in files that go with the set-up. Absent where nothing makes certificates. */
  makeCertificate?(name: string, names: string[]): TlsFiles
}

/** `plain-on-tls`: what plain HTTP is told at an address with TLS. `body-in-pieces`: a limit of a body whose length is not said. */
export type Difference = 'plain-on-tls' | 'body-in-pieces'

export type VisitRequest = {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: string
  /** On a connection that was used before, where there is one. */
  isKept?: boolean
}

/** What a user got: the release that answered, the variant that it was told, and the cookies that were set. */
export type Visit = { status: number; body: string; variant: string | null; cookies: string[] }

export const SERVICE = 'shop'
/** Services that share an address with it. */
export const NEIGHBOURS = ['shop-api', 'shop-rest'] as const
export const OLD = 'shop@1.0.0#a'
export const NEW = 'shop@1.1.0#b'
export const BLOCK = 1_000
export const DEADLINE_MS = 45_000

/** What each case works with. */
export type Bench = {
  setup: RouterSetup
  routes(newPermille: number, sequence: number, more?: Partial<ServiceRoutes>): ServiceRoutes
  state(router?: Router): Promise<RouterState>
  weights(router?: Router): Promise<Record<string, number>>
  drainOf(release: string): Promise<Drain>
}

export type Drain = NonNullable<InstanceTraffic['drain']>

/** Two instances of two releases behind the router, and what the cases ask about them. */
export async function benchOf(setup: RouterSetup): Promise<Bench> {
  unwrap(await setup.router.reconcile())
  const instances = { old: await setup.startUpstream(OLD), new: await setup.startUpstream(NEW) }
  const state = async (router = setup.router): Promise<RouterState> => unwrap(await router.readState(SERVICE))
  return {
    setup,
    state,
    routes: (newPermille, sequence, more = {}) => ({
      service: SERVICE,
      token: token(1, sequence),
      listen: setup.listen,
      stable: OLD,
      sets: [
        { release: OLD, version: '1.0.0', weightPermille: 1_000 - newPermille, instances: [instances.old] },
        { release: NEW, version: '1.1.0', weightPermille: newPermille, instances: [instances.new] },
      ],
      drain: { requestsMs: 300, websocketsMs: 300 },
      slowStartMs: 0,
      onControllerLoss: { kind: 'hold' },
      probeKey: 'key',
      ...NO_SIDE_ROUTES,
      ...more,
    }),
    weights: async (router) =>
      Object.fromEntries((await state(router)).sets.map((set) => [set.release, set.weightPermille])),
    drainOf: (release) =>
      eventually(`the drain of ${release} is over`, async () => {
        const drain = (await state()).instances.find((instance) => instance.release === release)?.drain
        return drain?.done === true ? drain : null
      }),
  }
}

export const token = (epoch: number, sequence: number): FencingToken => ({
  epoch,
  sequence,
  rollout: 'rollout-1',
})

/** The same routes; instances of a set without weight take nothing new. */
export function draining(routes: ServiceRoutes): ServiceRoutes {
  const sets = routes.sets.map((set) =>
    set.weightPermille > 0
      ? set
      : { ...set, instances: set.instances.map((entry) => ({ ...entry, state: 'draining' as const })) },
  )
  return { ...routes, sets }
}

export function unwrap<T>(result: Result<T>): T {
  if (result.kind === 'ok') return result.value
  const { code, message, cause = '' } = result.problem
  throw new Error(`${code}: ${message} ${cause}`)
}

export const codeOf = (result: Result<unknown>): string =>
  result.kind === 'failed' ? result.problem.code : 'no failure'

/** Asks until there is an answer. A router that cannot be asked just now is asked again. */
export async function eventually<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + DEADLINE_MS
  for (;;) {
    let problem = ''
    const answer = await ask().catch((error: unknown) => {
      problem = `: ${error}`
      return null
    })
    if (answer !== null) return answer
    if (Date.now() >= end) expect.fail(`not within ${DEADLINE_MS} ms: ${what}${problem}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
