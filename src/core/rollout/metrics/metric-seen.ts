import type { MetricDefinition } from '../../shared/metric-definition.ts'
import type { Command } from '../command.ts'
import type { Event, EventOf } from '../event.ts'
import { runningRollout } from '../rollout-position.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import { countMetric, metricStateOf } from './metric-count.ts'
import { isLeftAlone } from './metric-due.ts'
import { hurtOf } from './metric-lack.ts'

/** An answer of a provider. One that was asked for by somebody before, or a second one about the same time, says nothing. */
export function seeMetric(
  state: ServiceState,
  { underEpoch, rollout: of, metric: name, sample }: Extract<Command, { kind: 'metric-sampled' }>,
  now: number,
): Event[] {
  const rollout = runningRollout(state)
  if (underEpoch !== state.epoch || rollout === null || rollout.id !== of) return []
  const metric = rollout.settings.analysis.metrics.find((one) => one.name === name)
  const known = metricStateOf(rollout, name)
  const answeredTo = known.last?.window.toMs ?? 0
  const isOld = answeredTo <= now && sample.window.fromMs < answeredTo
  if (metric === undefined || isOld || isLeftAlone(known, now)) return []
  const event = { kind: 'metric-sampled' as const, at: now, metric: name, sample }
  const turned = turnOf(rollout, metric, event)
  return [turned === null ? event : { ...event, turned }]
}

/** Whether the patience with the metric ends with this answer, or it is well again; `null` for neither. */
export function turnOf(
  rollout: RolloutState,
  metric: MetricDefinition,
  event: EventOf<'metric-sampled'>,
): NonNullable<EventOf<'metric-sampled'>['turned']> | null {
  const [before, after] = [rollout, countMetric(rollout, event)].map(
    (one) => hurtOf(metric, metricStateOf(one, metric.name))?.kind ?? null,
  )
  if (before === after) return null
  return after ?? 'healed'
}
