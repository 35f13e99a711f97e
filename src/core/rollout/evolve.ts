import type { Batch } from '../analysis/batch.ts'
import { addSides, noRequests } from '../analysis/batch.ts'
import { checksOf } from '../analysis/check.ts'
import { addBatch, newCheckState } from '../analysis/judge.ts'
import type { Event, EventOf } from './event.ts'
import type { Exposure, QueuedRollout, RolloutState, ServiceState, SetState } from './state.ts'
import { newServiceState } from './state.ts'

/** Earlier stable releases remembered as rollback targets. */
const PREVIOUS_LIMIT = 10

/** Applies one event. Total: an event that does not fit the state changes nothing. */
export function evolve(state: ServiceState, event: Event): ServiceState {
  switch (event.kind) {
    case 'controller-started':
      return { ...state, epoch: event.epoch, unseen: ['router', 'target'] }
    case 'part-seen':
      return { ...state, unseen: state.unseen.filter((part) => part !== event.part) }
    case 'rollout-started':
      return {
        ...state,
        rollout: newRollout(event.rollout, event.at, state),
        queued: null,
        settings: state.stable === null ? event.rollout.settings : state.settings,
      }
    case 'rollout-queued':
      return { ...state, queued: event.rollout }
    case 'queue-dropped':
      return { ...state, queued: null }
    case 'step-started':
    case 'step-finished':
    case 'step-reopened':
    case 'rollout-paused':
    case 'rollout-resumed':
    case 'full-promotion-asked':
    case 'return-started':
    case 'outcome-reached':
    case 'metrics-observed':
    case 'metrics-failed':
      return state.rollout === null ? state : { ...state, rollout: evolveRollout(state.rollout, event) }
    case 'set-wanted':
    case 'set-held':
    case 'set-retiring':
    case 'set-stopping':
    case 'let-go-accepted':
    case 'set-asserted':
    case 'set-gone':
    case 'instances-observed':
      return evolveSets(state, event)
    case 'weights-decided':
    case 'routes-decided':
    case 'routes-confirmed':
    case 'routes-drifted':
      return evolveTraffic(state, event)
    case 'stable-changed':
      return changeStable(state, event)
    case 'control-released':
      return { ...releaseAll(state), sequence: event.sequence, finalizing: true, stable: null, previous: [] }
    case 'service-finalized':
      return { ...state, finalizing: false, traffic: newServiceState(state.stream).traffic }
    case 'busy-observed':
      return { ...state, busy: event.instances }
    case 'trouble-seen':
      return { ...state, troubles: { ...state.troubles, [event.part]: event.problem } }
    case 'trouble-over':
      return {
        ...state,
        troubles: Object.fromEntries(Object.entries(state.troubles).filter(([part]) => part !== event.part)),
      }
  }
}

export const evolveAll = (state: ServiceState, events: readonly Event[]): ServiceState =>
  events.reduce(evolve, state)

function newRollout(queued: QueuedRollout, at: number, state: ServiceState): RolloutState {
  const { stable } = state
  const candidate = state.sets.find((set) => set.release === queued.plan.to.release)
  return {
    id: queued.id,
    plan: {
      ...queued.plan,
      from: stable === null ? null : { release: stable.release, version: stable.version },
    },
    settings: queued.settings,
    actor: queued.actor,
    note: queued.note,
    startedAt: at,
    adoption: queued.adoption,
    phase: { kind: 'running', paused: null },
    stepIndex: 0,
    steps: queued.plan.steps.map(() => ({ state: 'planned', startedAt: null, endedAt: null })),
    reason: {
      code: 'DEPLOY_REQUESTED',
      message: `${queued.plan.to.version} was asked for`,
      evidence: {},
      actor: queued.actor,
    },
    cursor: null,
    checks: checksOf(queued.settings.analysis).map(newCheckState),
    atStep: emptyExposure(),
    total: emptyExposure(),
    loss: { probes: 0, probesLost: 0, requests: 0, unroutable: 0, cutOnDrain: 0 },
    fullPromotion: false,
    acknowledged: [],
    sourceFailures: null,
    trafficOffMs: null,
    problem: null,
    crashesAtStart: candidate?.instances.reduce((sum, instance) => sum + instance.crashes, 0) ?? 0,
  }
}

const emptyExposure = (): Exposure => ({ candidate: noRequests(), stable: noRequests() })

type RolloutEvent = EventOf<
  | 'step-started'
  | 'step-finished'
  | 'step-reopened'
  | 'rollout-paused'
  | 'rollout-resumed'
  | 'full-promotion-asked'
  | 'return-started'
  | 'outcome-reached'
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
        ...freshCounts(rollout, event.index),
      }
    case 'step-finished': {
      const steps = mark(rollout, event.index, {
        state: event.skipped ? 'skipped' : 'done',
        endedAt: event.at,
      })
      return { ...rollout, steps, stepIndex: event.index + 1, reason: event.reason }
    }
    case 'step-reopened': {
      const steps = rollout.steps.map((step, index) =>
        index < event.index ? step : { state: 'planned' as const, startedAt: null, endedAt: null },
      )
      return { ...rollout, stepIndex: event.index, steps, reason: event.reason }
    }
    case 'rollout-paused':
      return {
        ...rollout,
        reason: event.reason,
        phase: { kind: 'running', paused: { since: event.at, reason: event.reason, checks: event.checks } },
      }
    case 'rollout-resumed': {
      const paused = rollout.phase.kind === 'running' ? rollout.phase.paused : null
      const acknowledged = [...new Set([...rollout.acknowledged, ...(paused?.checks ?? [])])]
      return { ...rollout, reason: event.reason, acknowledged, phase: { kind: 'running', paused: null } }
    }
    case 'full-promotion-asked':
      return { ...rollout, reason: event.reason, fullPromotion: true }
    case 'return-started':
      return {
        ...rollout,
        reason: event.reason,
        problem: event.problem,
        phase: { kind: 'returning', outcome: event.outcome, reason: event.reason, since: event.at },
      }
    case 'outcome-reached': {
      const steps = rollout.steps.map((step) =>
        step.state === 'active' ? { ...step, state: 'skipped' as const, endedAt: event.at } : step,
      )
      const phase = { kind: 'ended' as const, outcome: event.outcome, reason: event.reason, at: event.at }
      return { ...rollout, phase, reason: event.reason, steps, trafficOffMs: event.trafficOffMs }
    }
    case 'metrics-observed':
      return countMetrics(rollout, event)
    case 'metrics-failed': {
      const { count, since } = rollout.sourceFailures ?? { count: 0, since: event.at }
      return { ...rollout, sourceFailures: { count: count + 1, since, problem: event.problem } }
    }
  }
}

/** A stage's criteria look only at what the candidate did at this weight. */
function freshCounts(rollout: RolloutState, index: number): { atStep?: Exposure } {
  return rollout.plan.steps[index]?.step.kind === 'observe' ? { atStep: emptyExposure() } : {}
}

function mark(
  rollout: RolloutState,
  index: number,
  change: Partial<RolloutState['steps'][number]>,
): RolloutState['steps'] {
  return rollout.steps.map((step, at) => (at === index ? { ...step, ...change } : step))
}

/** A batch that began before the step did holds requests at another weight. */
const isOfThisStep = ({ steps, stepIndex }: RolloutState, { sinceAt }: Batch): boolean =>
  sinceAt >= (steps[stepIndex]?.startedAt ?? 0)

function countMetrics(rollout: RolloutState, event: EventOf<'metrics-observed'>): RolloutState {
  const { batch } = event
  const loss = {
    ...rollout.loss,
    probes: rollout.loss.probes + event.probes,
    probesLost: rollout.loss.probesLost + event.probesLost,
  }
  const looked = { ...rollout, cursor: event.cursor, sourceFailures: null, loss }
  if (batch === null) return looked
  const plus = (exposure: Exposure): Exposure => ({
    candidate: addSides(exposure.candidate, batch.candidate),
    stable: addSides(exposure.stable, batch.stable),
  })
  const checks = checksOf(rollout.settings.analysis).map((check) => {
    const state = rollout.checks.find(({ name }) => name === check.name) ?? newCheckState(check)
    return addBatch(check, state, batch)
  })
  return {
    ...looked,
    checks,
    atStep: isOfThisStep(rollout, batch) ? plus(rollout.atStep) : rollout.atStep,
    total: plus(rollout.total),
    loss: {
      ...loss,
      requests: loss.requests + batch.requests + batch.unroutable,
      unroutable: loss.unroutable + batch.unroutable,
      cutOnDrain: loss.cutOnDrain + batch.cutOnDrain,
    },
  }
}

type SetEvent = EventOf<
  | 'set-wanted'
  | 'set-held'
  | 'set-retiring'
  | 'set-stopping'
  | 'let-go-accepted'
  | 'set-asserted'
  | 'set-gone'
  | 'instances-observed'
>

function evolveSets(state: ServiceState, event: SetEvent): ServiceState {
  if (event.kind === 'set-wanted') {
    const { release, version, replicas, adoption, role, sequence } = event
    const known = state.sets.find((set) => set.release === release)
    const set: SetState = {
      release,
      version,
      role,
      replicas,
      adoption,
      sequence,
      stage: 'wanted',
      letGoAccepted: false,
      assertedEpoch: 0,
      since: event.at,
      releaseAt: null,
      instances: known?.instances ?? [],
    }
    const sets = [...state.sets.filter((other) => other.release !== release), set]
    return { ...state, sequence, sets, rollout: withFreshCrashes(state.rollout, set) }
  }
  if (event.kind === 'set-gone') {
    const weights = Object.fromEntries(
      Object.entries(state.traffic.weights).filter(([release]) => release !== event.release),
    )
    return {
      ...state,
      sets: state.sets.filter((set) => set.release !== event.release),
      traffic: { ...state.traffic, weights },
    }
  }
  const sequence = event.kind === 'set-stopping' ? event.sequence : state.sequence
  return {
    ...state,
    sequence,
    sets: state.sets.map((set) => (set.release === event.release ? evolveSet(set, event) : set)),
  }
}

/** Crashes of an earlier attempt are not held against fresh instances. */
function withFreshCrashes(rollout: RolloutState | null, set: SetState): RolloutState | null {
  if (rollout === null || rollout.plan.to.release !== set.release) return rollout
  return { ...rollout, crashesAtStart: set.instances.reduce((sum, { crashes }) => sum + crashes, 0) }
}

function evolveSet(
  set: SetState,
  event: EventOf<
    'set-held' | 'set-retiring' | 'set-stopping' | 'let-go-accepted' | 'set-asserted' | 'instances-observed'
  >,
): SetState {
  switch (event.kind) {
    case 'set-held':
      return { ...set, role: 'held', releaseAt: event.until }
    case 'set-retiring':
      return { ...set, role: 'retiring', releaseAt: null }
    case 'set-stopping':
      return { ...set, stage: 'stopping', sequence: event.sequence }
    case 'let-go-accepted':
      return { ...set, letGoAccepted: true }
    case 'set-asserted':
      return { ...set, assertedEpoch: event.epoch }
    case 'instances-observed':
      return { ...set, instances: event.instances }
  }
}

function evolveTraffic(
  state: ServiceState,
  event: EventOf<'weights-decided' | 'routes-decided' | 'routes-confirmed' | 'routes-drifted'>,
): ServiceState {
  const { traffic } = state
  switch (event.kind) {
    case 'weights-decided':
      return {
        ...state,
        traffic: { ...traffic, weights: event.weights },
        rollout: state.rollout === null ? null : { ...state.rollout, reason: event.reason },
      }
    case 'routes-decided':
      return {
        ...state,
        sequence: event.sequence,
        traffic: { ...traffic, routes: event.routes, sequence: event.sequence },
      }
    case 'routes-confirmed':
      return {
        ...state,
        traffic: {
          ...traffic,
          confirmed: { sequence: event.sequence, epoch: event.epoch, at: event.at, weights: event.weights },
        },
      }
    case 'routes-drifted':
      return { ...state, traffic: { ...traffic, confirmed: null } }
  }
}

function changeStable(state: ServiceState, event: EventOf<'stable-changed'>): ServiceState {
  const previous =
    state.stable === null || state.stable.release === event.release
      ? state.previous
      : [state.stable, ...state.previous]
  return {
    ...state,
    stable: { release: event.release, version: event.version, since: event.at },
    previous: previous.filter(({ release }) => release !== event.release).slice(0, PREVIOUS_LIMIT),
    settings: state.rollout?.settings ?? state.settings,
    sets: state.sets.map((set) => {
      if (set.release === event.release) return { ...set, role: 'stable' as const, releaseAt: null }
      return set.role === 'stable' ? { ...set, role: 'warm' as const } : set
    }),
  }
}

const leave = (set: SetState): SetState => ({ ...set, role: 'retiring', releaseAt: null })

/** What was taken over is given back; what is ours leaves as always. */
const releaseAll = (state: ServiceState): ServiceState => ({
  ...state,
  sets: state.sets.map((set) =>
    set.adoption === null ? leave(set) : { ...set, stage: 'releasing' as const },
  ),
  traffic: { ...state.traffic, weights: {} },
})
