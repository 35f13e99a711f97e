import type { Problem } from '../../../core/shared/problem.ts'
import { problem } from '../../../core/shared/problem.ts'
import type { Result } from '../../../core/shared/result.ts'
import { failed, ok } from '../../../core/shared/result.ts'
import type { InstanceTraffic, RouterState } from '../../../core/shared/router-state.ts'
import type { RouteSet } from '../../../core/shared/routes.ts'
import { ServiceRoutes } from '../../../core/shared/routes.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import { compareTokens } from '../../../core/shared/token.ts'
import { createEjections } from './ejections.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** An instance that left still has requests for up to this long. */
const LONGEST_DRAIN_MS = 900

/** Somebody else has the port of the preview for the whole run. */
const PREVIEW_TAKEN_SHARE = 0.2

type Drain = { release: string; since: number; until: number }
export type Entry = {
  routes: ServiceRoutes | null
  sets: RouteSet[]
  reverted: RouterState['reverted']
  drains: Map<string, Drain>
  lastSignAt: number
  /** Somebody other than a controller changed it since the last write that took effect. */
  isTouched: boolean
}

/** Who is told just before traffic begins to flow differently. */
export type BeforeChange = (service: string) => void

/** A data plane of one process: routes in force, drains, and all the ways in which it can be wrong. */
export type SimulatedRouter = {
  setRoutes(routes: ServiceRoutes): Result<void>
  /** Only the first set's weight takes effect; the answer is a failure. */
  halfApply(routes: ServiceRoutes): Result<void>
  readState(service: string): Result<RouterState>
  /** Nothing of the service is left but what it still has under way. */
  finalize(request: { token: FencingToken; service: string }): Result<void>
  /** It refuses every change for good, until `null`. */
  refuse(why: Problem | null): void
  /** Half of the instances of this release, or of each, fail users and are left out. */
  eject(service: string, release: string | null): void
  /** Nothing is left out any more. */
  takeBack(): void
  /** Somebody was told that this instance fails users, and nothing of stable beside it. */
  wasEjectedAlone(id: string): boolean
  /** Somebody writes weights past the controller; the token stays. */
  edit(service: string, pick: (sets: readonly RouteSet[]) => Record<string, number>): void
  revert(service: string): void
  /** A new process with nothing on its disk. */
  wipe(): void
  entry(service: string): Entry
  highest(service: string): FencingToken | null
  boot(): string
}

export function createRouter(
  scheduler: Scheduler,
  {
    name,
    random,
    wallNow,
    beforeChange,
  }: { name: string; random: Random; wallNow: () => number; beforeChange: BeforeChange },
): SimulatedRouter {
  const entries = new Map<string, Entry>()
  const highest = new Map<string, FencingToken>()
  let boot = 1
  let refusing: Problem | null = null
  const ejections = createEjections(wallNow)
  const previewTaken = random.fork('preview').chance(PREVIEW_TAKEN_SHARE)

  function entry(service: string): Entry {
    const found = entries.get(service) ?? newEntry(scheduler.now())
    entries.set(service, found)
    return found
  }

  function fence(routes: ServiceRoutes): Result<'newer' | 'repeat'> {
    const known = highest.get(routes.service)
    const order = known === undefined ? 1 : compareTokens(routes.token, known)
    if (order < 0) return failed(refused('STALE_TOKEN', routes.service))
    if (order > 0) return ok('newer')
    const inForce = entries.get(routes.service)?.routes ?? null
    return inForce !== null && JSON.stringify({ ...inForce, token: routes.token }) === JSON.stringify(routes)
      ? ok('repeat')
      : failed(refused('TOKEN_REUSED', routes.service))
  }

  function apply(routes: ServiceRoutes): void {
    beforeChange(routes.service)
    const mine = entry(routes.service)
    startDrains(mine, routes.sets)
    Object.assign(mine, { routes, sets: routes.sets, reverted: null, isTouched: false })
    highest.set(routes.service, routes.token)
    watchForLoss(routes.service)
  }

  function startDrains(mine: Entry, after: readonly RouteSet[]): void {
    const now = scheduler.now()
    const active = new Set(activeIn(after).map(({ id }) => id))
    for (const id of active) mine.drains.delete(id)
    for (const { id, release } of activeIn(mine.sets))
      if (!active.has(id) && !mine.drains.has(id))
        mine.drains.set(id, { release, since: now, until: now + random.int(0, LONGEST_DRAIN_MS) })
  }

  /** Without a controller for too long, traffic goes back to stable by itself, where the routes ask for it. */
  function watchForLoss(service: string): void {
    const mine = entry(service)
    mine.lastSignAt = scheduler.now()
    const policy = mine.routes?.onControllerLoss
    if (policy?.kind !== 'revert') return
    const of = mine.routes
    const check = (): void => {
      if (mine.routes !== of || mine.reverted !== null) return
      const aloneMs = scheduler.now() - mine.lastSignAt
      if (aloneMs >= policy.afterMs) revert(service)
      else scheduler.after(policy.afterMs - aloneMs, check)
    }
    scheduler.after(policy.afterMs, check)
  }

  function revert(service: string): void {
    const mine = entry(service)
    const stable = mine.routes?.stable ?? null
    const set = mine.sets.find(({ release }) => release === stable)
    if (set === undefined || activeIn([set]).length === 0) return
    beforeChange(service)
    mine.reverted = { at: wallNow(), fromWeights: weightsOf(mine.sets) }
    mine.sets = mine.sets.map((set) => ({ ...set, weightPermille: set.release === stable ? 1000 : 0 }))
    mine.isTouched = true
  }

  return {
    entry,
    revert,
    boot: () => `${name}-${boot}`,
    highest: (service) => highest.get(service) ?? null,
    refuse: (why) => {
      refusing = why
    },
    finalize: ({ token, service }) => {
      const known = highest.get(service)
      if (known !== undefined && compareTokens(token, known) < 0)
        return failed(refused('STALE_TOKEN', service))
      beforeChange(service)
      const mine = entry(service)
      startDrains(mine, [])
      Object.assign(mine, { routes: null, sets: [], reverted: null, isTouched: false })
      highest.set(service, token)
      return ok(undefined)
    },
    setRoutes: (routes) => {
      if (refusing !== null) return failed(refusing)
      const valid = ServiceRoutes.safeParse(routes)
      if (!valid.success)
        return failed(problem('ROUTES_INVALID', { message: valid.error.message, remedy: 'none' }))
      entry(routes.service).lastSignAt = scheduler.now()
      const fenced = fence(routes)
      if (fenced.kind === 'failed') return fenced
      if (fenced.value === 'newer') apply(routes)
      return ok(undefined)
    },
    halfApply: (routes) => {
      const fenced = fence(routes)
      if (fenced.kind === 'failed') return fenced
      const [first] = routes.sets
      const mine = entry(routes.service)
      beforeChange(routes.service)
      mine.sets = mine.sets.map((set) => (set.release === first?.release ? { ...first } : set))
      mine.isTouched = true
      return failed(
        problem('ROUTER_HALF', {
          message: 'One part of the router refused.',
          remedy: 'Again.',
          retryable: true,
        }),
      )
    },
    readState: (service) => {
      const mine = entry(service)
      mine.lastSignAt = scheduler.now()
      return ok({
        service,
        boot: `${name}-${boot}`,
        token: mine.routes?.token ?? null,
        listening: mine.routes === null ? null : { ...mine.routes.listen },
        sets: mine.sets,
        ...previewSeen(mine.routes, previewTaken),
        ...closedSeen(mine),
        instances: ejections.shown(traffic(mine, scheduler.now()), mine.routes?.stable ?? null),
        reverted: mine.reverted,
      })
    },
    eject: (service, release) => ejections.begin(entry(service).sets, release),
    takeBack: ejections.end,
    wasEjectedAlone: ejections.wasAlone,
    edit: (service, pick) => {
      const mine = entry(service)
      if (mine.sets.length === 0) return
      const weights = pick(mine.sets)
      beforeChange(service)
      mine.sets = mine.sets.map((set) => ({ ...set, weightPermille: weights[set.release] ?? 0 }))
      mine.isTouched = true
    },
    wipe: () => {
      for (const service of entries.keys()) beforeChange(service)
      entries.clear()
      highest.clear()
      boot += 1
    },
  }
}

export const closedSeen = ({
  routes,
  reverted,
}: Pick<Entry, 'routes' | 'reverted'>): Pick<RouterState, 'closed'> =>
  routes === null || routes.closed === null || reverted !== null ? {} : { closed: routes.closed }

function previewSeen(routes: ServiceRoutes | null, isTaken: boolean): Pick<RouterState, 'preview'> {
  const listen = routes?.preview?.listen
  if (listen === undefined) return {}
  const taken = problem('PREVIEW_LISTEN_FAILED', {
    message: 'The port is taken.',
    remedy: 'none',
    retryable: true,
  })
  return { preview: { listening: isTaken ? null : listen, problem: isTaken ? taken : null } }
}

const newEntry = (now: number): Entry => ({
  routes: null,
  sets: [],
  reverted: null,
  drains: new Map(),
  lastSignAt: now,
  isTouched: false,
})

const activeIn = (sets: readonly RouteSet[]): { id: string; release: string }[] =>
  sets.flatMap(({ release, instances }) =>
    instances.filter(({ state }) => state === 'active').map(({ id }) => ({ id, release })),
  )

export const weightsOf = (sets: readonly RouteSet[]): Record<string, number> =>
  Object.fromEntries(sets.map(({ release, weightPermille }) => [release, weightPermille]))

function traffic({ sets, drains }: Entry, now: number): InstanceTraffic[] {
  const live = activeIn(sets).map((one) => ({ ...one, inFlight: 1, websockets: 0, drain: null }))
  const leaving = [...drains].map(([id, { release, since, until }]) => ({
    id,
    release,
    inFlight: now < until ? 1 : 0,
    websockets: 0,
    drain: { done: now >= until, sinceMs: now - since, cut: [], cutTotal: 0 },
  }))
  return [...live, ...leaving]
}

const refused = (code: 'STALE_TOKEN' | 'TOKEN_REUSED', service: string): Problem =>
  problem(code, {
    message: `The token for ${service} was refused.`,
    remedy: 'Read the state and use a newer token.',
  })
