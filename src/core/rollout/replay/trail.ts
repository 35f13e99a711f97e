import type { Look } from '../../analysis/evidence/trail.ts'
import { evidenceNow } from '../../analysis/judge.ts'
import type { Event, EventOf } from '../event.ts'
import { evolve } from '../evolve.ts'
import { dispersionsOf, isWarmingUp } from '../judging/count-metrics.ts'
import { checksWithState } from '../judging/judge-rollout.ts'
import { type MetricLook, metricLookOf } from '../metrics/metric-trail.ts'
import { newServiceState, type RolloutState, type ServiceState } from '../state.ts'
import type { ReleaseRef } from '../view/view.ts'

/** What one rollout went through: its batches as they were judged, and where it stood at the end. */
export type Trail = {
  rollout: RolloutState
  looks: readonly Look[]
  failures: number
  /** Of each declared metric, by name. */
  metrics: ReadonlyMap<string, readonly MetricLook[]>
}

/** The state before the event and after it. */
type Visit = (event: Event, before: ServiceState, after: ServiceState) => void

/** Work that may be long: whoever does it may do something else after each step. */
export type Steps<T> = Generator<undefined, T>

/**
 * Folds the events of one rollout anew, from its start, by the same function that made the state. Its numbers depend on
 * nothing before but the stable release. A day of batches takes seconds, so each event is a step.
 */
export function* refold(
  stable: ReleaseRef | null,
  events: readonly Event[],
  visit: Visit,
): Steps<RolloutState | null> {
  let state = { ...newServiceState(''), stable: stable === null ? null : { ...stable, since: 0 } }
  for (const event of events) {
    // What was folded is remembered as long as the event is there: of a copy nothing stays.
    const after = evolve(state, { ...event })
    visit(event, state, after)
    state = after
    yield
  }
  return state.rollout
}

/** `null` when the rollout never began. */
export function* trailOf(stable: ReleaseRef | null, events: readonly Event[]): Steps<Trail | null> {
  const looks: Look[] = []
  const metrics = new Map<string, MetricLook[]>()
  let failures = 0
  const rollout = yield* refold(stable, events, (event, { rollout: before }, { rollout: after }) => {
    if (before === null || after === null) return
    if (event.kind === 'metrics-failed') failures += 1
    if (event.kind === 'metrics-observed') looks.push(...lookOf(event, before, after))
    if (event.kind === 'metric-sampled') {
      const looked = metricLookOf(event, before, after)
      const known = metrics.get(event.metric) ?? []
      if (looked !== null) known.push(looked)
      metrics.set(event.metric, known)
    }
  })
  return rollout === null ? null : { rollout, looks, failures, metrics }
}

/** None where nothing was counted. */
function lookOf(
  { batch }: EventOf<'metrics-observed'>,
  before: RolloutState,
  after: RolloutState,
): readonly Look[] {
  if (batch === null) return []
  const checks = checksWithState(after).map(({ check, state }) => ({
    logE: evidenceNow(check, state),
    boundMs: state.boundMs,
  }))
  const dispersions = dispersionsOf(before, batch.sinceAt)
  return [{ batch, dispersions, isWarmingUp: isWarmingUp(before, batch), checks }]
}
