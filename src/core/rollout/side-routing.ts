import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { SideSettings, StickySettings } from '../release/side-settings.ts'
import { hasActive, type RouteSet } from '../shared/routes.ts'
import {
  NO_SIDE_ROUTES,
  type PreviewRoute,
  type RouteRule,
  type SideRoutes,
  type StickyRoute,
  type VariantRoute,
} from '../shared/side-routes.ts'
import { candidateSet } from './judging/judge-rollout.ts'
import { isCandidateStable } from './rollout-position.ts'
import { isWorkerService, readyInstances } from './routing.ts'
import { mirrorOf } from './shadow/mirror-route.ts'
import type { RolloutState, ServiceState } from './state.ts'

/**
 * Where requests go besides the weights, given where the weights send them. One pure function, so that every rule about it
 * stands here: nothing points to a set that could not answer, and nothing of a rollout outlives it.
 */
export const sideRoutesOf = (state: ServiceState, routes: readonly RouteSet[]): SideRoutes =>
  isWorkerService(state)
    ? NO_SIDE_ROUTES
    : {
        preview: previewOf(state, routes),
        rules: rulesOf(state, routes),
        sticky: stickyOf(state),
        mirror: mirrorOf(state, routes),
        closed: state.traffic.closed,
      }

/** The candidate once it can answer, and while it is kept for inspection; stable otherwise (S27, S31). */
function previewOf(state: ServiceState, routes: readonly RouteSet[]): PreviewRoute | null {
  const { stable, rollout } = state
  const shown = rollout === null ? null : shownIn(state, rollout)
  const listen = previewIn(shown === null ? state.settings : (rollout?.settings ?? null))
  if (listen === null || stable === null) return null
  const release = [shown, stable.release].find((one) =>
    routes.some((set) => set.release === one && hasActive(set)),
  )
  return { listen, release: release ?? null }
}

/** The release of the rollout, until it is stable itself or on its way out. */
function shownIn(state: ServiceState, rollout: RolloutState): string | null {
  const { release } = rollout.plan.to
  if (rollout.plan.kind !== 'deploy' || isCandidateStable(state, rollout)) return null
  const role = state.sets.find((set) => set.release === release)?.role
  return rollout.phase.kind !== 'ended' || role === 'held' ? release : null
}

/** Testers reach the candidate from the end of its checks until it goes back or is stable. */
function rulesOf(state: ServiceState, routes: readonly RouteSet[]): RouteRule[] {
  const { rollout } = state
  if (rollout === null || rollout.phase.kind !== 'running' || !isOpen(state, rollout)) return []
  const { release } = rollout.plan.to
  // Where nothing is ready the weights keep what there was; nobody is sent there besides.
  const isReady = readyInstances(candidateSet(state)).length > 0
  const isServed = isReady && routes.some((set) => set.release === release && hasActive(set))
  return isServed ? testersIn(rollout.settings).map((match) => ({ match, release })) : []
}

/** A deploy whose candidate is there and verified, and is not stable yet. */
const isOpen = (state: ServiceState, rollout: RolloutState): boolean =>
  rollout.plan.kind === 'deploy' &&
  !isCandidateStable(state, rollout) &&
  rollout.stepIndex >= rollout.plan.steps.findIndex(({ step }) => !isPreparation(step))

const isPreparation = (step: Step): boolean =>
  step.kind === 'provision' || (step.kind === 'verify' && step.moment === 'before')

/** Users are bound from the first weight on; once it is over, in whatever way, what binds them is taken back (S47). */
function stickyOf(state: ServiceState): StickyRoute | null {
  const { rollout } = state
  if (rollout === null || rollout.plan.kind !== 'deploy') return null
  const bound = boundBy(rollout.settings)
  if (bound === null) return null
  const { test, ...sticky } = bound
  const { release } = rollout.plan.to
  if (rollout.phase.kind !== 'running' || isCandidateStable(state, rollout))
    return { kind: 'expire', ...sticky }
  if ((state.traffic.weights[release] ?? 0) === 0) return null
  return { kind: 'assign', ...sticky, salt: rollout.id, release, ...(test === null ? {} : { test }) }
}

type Bound = StickySettings & { test: VariantRoute | null }

/** What keeps users where they are; `null` where nothing does. */
function boundBy({ strategy }: ServiceSettings): Bound | null {
  if (strategy.kind === 'canary')
    return strategy.sticky === undefined ? null : { ...strategy.sticky, test: null }
  if (strategy.kind !== 'ab') return null
  const { by, where, variants, goal, forMs } = strategy
  const test: VariantRoute = {
    by: by.kind === 'own-cookie' ? null : { in: by.kind, name: by.name },
    ...(where === undefined ? {} : { where }),
    variants,
    goal,
  }
  return { cookie: AB_COOKIE, forMs: forMs + DECISION_MS, test }
}

const AB_COOKIE = 'sluice-ab'
/** People may take their time with the decision; users keep their variant until then. */
const DECISION_MS = 30 * 24 * 60 * 60_000

const previewIn = (settings: ServiceSettings | null): PreviewRoute['listen'] | null =>
  settings === null ? null : (sideSettings(settings).preview ?? null)

const testersIn = (settings: ServiceSettings) => sideSettings(settings).routes ?? []

/** What a strategy has of its own: not all of them know the words. */
function sideSettings({ strategy }: ServiceSettings): SideSettings {
  return strategy.kind === 'canary' || strategy.kind === 'blue-green' ? strategy : {}
}
