import type { Command } from './command.ts'
import type { Event } from './event.ts'
import { countMetric, metricStateOf } from './metric-count.ts'
import { isLeftAlone } from './metric-due.ts'
import { hurtOf } from './metric-lack.ts'
import { runningRollout } from './rollout-position.ts'
import type { ServiceState } from './state.ts'

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
  const [before, after] = [known, metricStateOf(countMetric(rollout, event), name)].map(
    (one) => hurtOf(metric, one)?.kind ?? null,
  )
  return [before === after ? event : { ...event, turned: after ?? 'healed' }]
}
