import { fineOf } from '../analysis/judge.ts'
import { countVariants } from './ab/count-variants.ts'
import type { Event, EventOf } from './event.ts'
import { evolveSets, releaseAll } from './evolve-sets.ts'
import { evolveTraffic, isTrafficEvent } from './evolve-traffic.ts'
import { countHeld } from './hold.ts'
import { evolveAlerts } from './judging/alerts.ts'
import { countMetrics } from './judging/count-metrics.ts'
import { countResources } from './judging/count-resources.ts'
import { evolveErrors } from './judging/new-errors.ts'
import { NO_LOOKS } from './judging/stage-criteria.ts'
import { evolveLightWatch, isLightEvent, type LightEvent } from './light-watch/evolve-light-watch.ts'
import { countMetric } from './metrics/metric-count.ts'
import { emptyExposure, NOT_BEGUN, newRollout } from './new-rollout.ts'
import { countAttempt, countRollback, evolveFailures, forgive } from './past-failures.ts'
import type { RolloutState, ServiceState } from './state.ts'
import { newServiceState } from './state.ts'
import { evolveVerified, withoutReports } from './verifying.ts'

/** Earlier stable releases remembered as rollback targets. */
const PREVIOUS_LIMIT = 10

/**
 * What an event made of a state. A command folds its events again and again while it is decided, judged and recorded, and to
 * count a batch of numbers is dear; the same event on the same state always gives the same.
 */
const FOLDED = new WeakMap<Event, { before: ServiceState; after: ServiceState }>()

/** Applies one event. Total: an event that does not fit the state changes nothing. */
export function evolve(state: ServiceState, event: Event): ServiceState {
  const folded = FOLDED.get(event)
  if (folded?.before === state) return folded.after
  const after = countHeld(remember(state, event, watchLightly(state, event)), event.at)
  FOLDED.set(event, { before: state, after })
  return after
}

function watchLightly(state: ServiceState, event: Event): ServiceState {
  const after = isLightEvent(event) ? state : apply(state, event)
  const lightWatch = evolveLightWatch(state.lightWatch, event)
  return lightWatch === after.lightWatch ? after : { ...after, lightWatch }
}

/** A rollback is counted with the event that begins it. */
const remember = (before: ServiceState, event: Event, after: ServiceState): ServiceState =>
  event.kind === 'return-started' ? { ...after, automaticRollbacks: countRollback(before, event) } : after

function apply(state: ServiceState, event: Exclude<Event, LightEvent>): ServiceState {
  if (isAround(event)) return { ...state, ...evolveAround(state, event) }
  if (isTrafficEvent(event)) return evolveTraffic(state, event)
  switch (event.kind) {
    case 'controller-started':
      return {
        ...state,
        epoch: event.epoch,
        unseen: ['router', 'target'],
        traffic: { ...state.traffic, shown: [] },
      }
    case 'part-seen':
      return { ...state, unseen: state.unseen.filter((part) => part !== event.part) }
    case 'rollout-started':
      return {
        ...state,
        rollout: newRollout(event.rollout, event.at, state),
        attempts: countAttempt(state, event.rollout.plan.to.release),
        queued: null,
        settings: state.stable === null ? event.rollout.settings : state.settings,
      }
    case 'rollout-queued':
    case 'queue-dropped':
      return { ...state, queued: event.kind === 'rollout-queued' ? event.rollout : null }
    case 'step-started':
    case 'step-finished':
    case 'step-reopened':
    case 'rollout-paused':
    case 'rollout-resumed':
    case 'full-promotion-asked':
    case 'jump-asked':
    case 'return-started':
    case 'return-stalled':
    case 'failure-held':
    case 'outcome-reached':
    case 'verified':
    case 'metrics-observed':
    case 'metrics-failed':
      return state.rollout === null ? state : { ...state, rollout: evolveRollout(state.rollout, event) }
    case 'release-blocked':
    case 'release-unblocked':
    case 'breaker-opened':
    case 'breaker-closed':
      return { ...state, ...evolveFailures(state, event) }
    case 'set-wanted':
    case 'set-held':
    case 'set-kept':
    case 'set-retiring':
    case 'set-stopping':
    case 'set-shrunk':
    case 'instances-dismissed':
    case 'let-go-accepted':
    case 'set-asserted':
    case 'set-gone':
    case 'instances-observed':
      return evolveSets(state, event)
    case 'stable-changed':
      return changeStable(state, event)
    case 'control-released':
      return { ...releaseAll(state), sequence: event.sequence, finalizing: true, stable: null, previous: [] }
    case 'service-finalized':
      return { ...state, finalizing: false, traffic: newServiceState(state.stream).traffic }
  }
}

const AROUND = [
  'freeze-began',
  'freeze-ended',
  'busy-observed',
  'alert-heard',
  'alert-over',
  'metric-sampled',
  'variants-counted',
  'errors-known',
  'errors-said',
  'named-checks-seen',
  'trouble-seen',
  'trouble-over',
] as const satisfies Event['kind'][]
type AroundEvent = EventOf<(typeof AROUND)[number]>

const isAround = (event: Event): event is AroundEvent => AROUND.some((kind) => kind === event.kind)

/** What goes on around the rollout. */
function evolveAround(state: ServiceState, event: AroundEvent): Partial<ServiceState> {
  const { troubles } = state
  switch (event.kind) {
    case 'freeze-began':
      return { freeze: event.freeze, freezeAsOf: event.asOf }
    case 'freeze-ended':
      return { freeze: null, freezeAsOf: event.asOf }
    case 'busy-observed':
      return { busy: event.instances }
    case 'alert-heard':
    case 'alert-over':
      return { rollout: state.rollout && evolveAlerts(state.rollout, event) }
    case 'metric-sampled':
      return { rollout: state.rollout && countMetric(state.rollout, event) }
    case 'variants-counted':
      return { rollout: state.rollout && countVariants(state.rollout, event) }
    case 'errors-known':
    case 'errors-said':
      return evolveErrors(state, event)
    case 'named-checks-seen':
      return { rollout: state.rollout && { ...state.rollout, namedChecks: event.checks } }
    case 'trouble-seen':
      return { troubles: { ...troubles, [event.part]: event.problem } }
    case 'trouble-over':
      return {
        troubles: Object.fromEntries(Object.entries(troubles).filter(([part]) => part !== event.part)),
      }
  }
}

export const evolveAll = (state: ServiceState, events: readonly Event[]): ServiceState =>
  events.reduce((after, event) => evolve(after, event), state)

type RolloutEvent = EventOf<
  | 'step-started'
  | 'step-finished'
  | 'step-reopened'
  | 'rollout-paused'
  | 'rollout-resumed'
  | 'full-promotion-asked'
  | 'jump-asked'
  | 'return-started'
  | 'return-stalled'
  | 'failure-held'
  | 'outcome-reached'
  | 'verified'
  | 'metrics-observed'
  | 'metrics-failed'
>

function evolveRollout(rollout: RolloutState, event: RolloutEvent): RolloutState {
  switch (event.kind) {
    case 'step-started':
      return {
        ...rollout,
        stepIndex: event.index,
        steps: mark(rollout, event.index, { state: 'active', startedAt: event.at }),
        heldMs: 0,
        verified: withoutReports(rollout, event.index),
        ...freshCounts(rollout, event.index),
      }
    case 'step-finished': {
      const steps = mark(rollout, event.index, {
        state: event.skipped ? 'skipped' : 'done',
        endedAt: event.at,
        by: event.skipped ? event.reason.actor.name : null,
      })
      return { ...rollout, steps, stepIndex: event.index + 1, reason: event.reason }
    }
    case 'step-reopened':
      return reopened(rollout, event)
    case 'jump-asked': {
      const { index, reason } = event
      const asked = { ...rollout, reason, fullPromotion: false, skipTo: { index, reason } }
      return event.index <= rollout.stepIndex ? reopened({ ...asked, skipTo: null }, event) : asked
    }
    case 'rollout-paused':
      return {
        ...rollout,
        reason: event.reason,
        phase: {
          kind: 'running',
          paused: { since: event.at, reason: event.reason, checks: event.checks, failed: false },
        },
      }
    case 'rollout-resumed': {
      const paused = rollout.phase.kind === 'running' ? rollout.phase.paused : null
      const acknowledged = [...new Set([...rollout.acknowledged, ...(paused?.checks ?? [])])]
      return { ...rollout, reason: event.reason, acknowledged, phase: { kind: 'running', paused: null } }
    }
    case 'full-promotion-asked':
      return { ...rollout, reason: event.reason, fullPromotion: true, skipTo: toAllTraffic(rollout, event) }
    case 'return-started':
    case 'return-stalled':
    case 'failure-held':
      return evolveFailing(rollout, event)
    case 'outcome-reached': {
      const steps = rollout.steps.map((step) =>
        step.state === 'active' ? { ...step, state: 'skipped' as const, endedAt: event.at } : step,
      )
      const phase = { kind: 'ended' as const, outcome: event.outcome, reason: event.reason, at: event.at }
      return { ...rollout, phase, reason: event.reason, steps, trafficOffMs: event.trafficOffMs }
    }
    case 'verified':
      return evolveVerified(rollout, event)
    case 'metrics-observed':
      return { ...countMetrics(rollout, event), resources: countResources(rollout, event) }
    case 'metrics-failed': {
      const { count, since } = rollout.sourceFailures ?? { count: 0, since: event.at }
      return { ...rollout, sourceFailures: { count: count + 1, since, problem: event.problem } }
    }
  }
}

const toAllTraffic = (
  { plan }: RolloutState,
  { reason }: EventOf<'full-promotion-asked'>,
): RolloutState['skipTo'] => ({
  index: plan.steps.findLastIndex(({ step }) => step.kind === 'traffic'),
  reason,
})

/** What was done from this step on is done anew. */
function reopened(
  rollout: RolloutState,
  { index: from, reason }: EventOf<'step-reopened' | 'jump-asked'>,
): RolloutState {
  const steps = rollout.steps.map((step, index) => (index < from ? step : { ...NOT_BEGUN }))
  return { ...rollout, stepIndex: from, steps, reason }
}

function evolveFailing(
  rollout: RolloutState,
  event: EventOf<'return-started' | 'return-stalled' | 'failure-held'>,
): RolloutState {
  switch (event.kind) {
    case 'return-started': {
      const { outcome, reason, problem, at } = event
      const phase = { kind: 'returning' as const, outcome, reason, since: at, stalled: false }
      return { ...rollout, reason, problem, phase }
    }
    case 'return-stalled':
      if (rollout.phase.kind !== 'returning') return rollout
      return { ...rollout, phase: { ...rollout.phase, stalled: true } }
    case 'failure-held': {
      const { reason, at } = event
      const paused = { since: at, reason, checks: [], failed: true }
      return { ...rollout, reason, phase: { kind: 'running', paused } }
    }
  }
}

/** A stage's criteria look only at what the candidate did at this weight. */
function freshCounts(
  { plan, checks }: RolloutState,
  index: number,
): Partial<Pick<RolloutState, 'atStep' | 'fineAtStep' | 'stageLooks'>> {
  const step = plan.steps[index]?.step
  if (step?.kind !== 'observe') return {}
  // Only who may end a stage early asks what was shown in it.
  const fine = step.earliestMs === undefined ? [] : checks.map((state) => [state.name, fineOf(state)])
  return { atStep: emptyExposure(), stageLooks: NO_LOOKS, fineAtStep: Object.fromEntries(fine) }
}

function mark(
  rollout: RolloutState,
  index: number,
  change: Partial<RolloutState['steps'][number]>,
): RolloutState['steps'] {
  return rollout.steps.map((step, at) => (at === index ? { ...step, ...change } : step))
}

function changeStable(state: ServiceState, event: EventOf<'stable-changed'>): ServiceState {
  const previous =
    state.stable === null || state.stable.release === event.release
      ? state.previous
      : [state.stable, ...state.previous]
  return {
    ...state,
    stable: { release: event.release, version: event.version, since: event.at },
    ...forgive(state, event.release),
    previous: previous.filter(({ release }) => release !== event.release).slice(0, PREVIOUS_LIMIT),
    settings: state.rollout?.settings ?? state.settings,
    rollout: state.rollout === null ? null : { ...state.rollout, checklist: event.checklist },
    sets: state.sets.map((set) => {
      if (set.release === event.release) return { ...set, role: 'stable' as const, releaseAt: null }
      return set.role === 'stable' ? { ...set, role: 'warm' as const } : set
    }),
  }
}
