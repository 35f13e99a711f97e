import { formatDuration } from '../../shared/duration.ts'
import type { MetricDefinition } from '../../shared/metric-definition.ts'
import type { Reason } from '../reason.ts'
import { ENGINE } from '../reason.ts'
import type { RolloutState } from '../state.ts'
import { metricStateOf } from './metric-count.ts'
import { comparedStage } from './metric-due.ts'
import type { MetricState } from './metric-state.ts'

/** Beyond two windows, delay and timeout an answer is old: nobody has asked meanwhile. */
const STALE_MARGIN_MS = 5000

type Policy = MetricDefinition['noData']['policy']

/** The declared patience with a metric is over. */
export type Hurt = { kind: 'no-data' | 'provider-broken'; since: number; policy: Policy; why: string }

/**
 * Decided by answers and never by the time that has passed alone: while nobody looked, nothing was missing. Trouble of the
 * provider is counted apart from windows with nothing in them.
 */
export function hurtOf({ noData, trouble }: MetricDefinition, state: MetricState): Hurt | null {
  const { failures, emptySince, last } = state
  if (failures !== null && failures.count >= trouble.failures)
    return {
      kind: 'provider-broken',
      since: failures.since,
      policy: trouble.policy,
      why: failures.problem.message,
    }
  if (failures !== null || emptySince === null || last === null) return null
  return last.at - emptySince >= noData.afterMs
    ? { kind: 'no-data', since: emptySince, policy: noData.policy, why: emptiness(state) }
    : null
}

/** What is missing of a metric, in words. */
export type Lack = { metric: MetricDefinition; since: number; text: string }

/**
 * Critical metrics without which the present stage must not end: no data is never healthy. One whose policy is to be
 * ignored once the patience is over does not count.
 */
export function lackingMetrics(rollout: RolloutState, now: number): Lack[] {
  const stage = comparedStage(rollout)
  if (stage === null) return []
  return rollout.settings.analysis.metrics.flatMap((metric) => {
    const state = metricStateOf(rollout, metric.name)
    if (metric.tier !== 'critical' || isIgnored(metric, state)) return []
    const lack = lackOf(metric, state, { startedAt: stage.startedAt, now })
    return lack === null ? [] : [{ metric, ...lack }]
  })
}

const isIgnored = (metric: MetricDefinition, state: MetricState): boolean =>
  hurtOf(metric, state)?.policy === 'ignore'

function lackOf(
  metric: MetricDefinition,
  state: MetricState,
  { startedAt, now }: { startedAt: number; now: number },
): Omit<Lack, 'metric'> | null {
  const { failures, last, emptySince, countedTo } = state
  const told = (since: number, what: string) => ({
    since,
    text: `metric ${metric.name} ${what} (for ${formatDuration(Math.max(0, now - since))})`,
  })
  if (failures !== null) {
    const broken = hurtOf(metric, state) === null ? 'is asked again' : 'has a broken provider, policy hold'
    return told(failures.since, `${broken}: ${failures.problem.message.replace(/\.$/, '')}`)
  }
  // What ends after now was measured before the clock was set back.
  if (last === null || last.window.fromMs < startedAt || last.window.toMs > now)
    return told(startedAt, 'was not measured at this weight yet')
  const isCounted = countedTo !== null && countedTo >= startedAt && countedTo <= now
  if (emptySince !== null && (isNothing(state) || !isCounted))
    return told(emptySince, `has no data: ${emptiness(state).replace(/\.$/, '')}`)
  const oldAt = last.window.toMs + 2 * metric.everyMs + metric.delayMs + metric.timeoutMs + STALE_MARGIN_MS
  return now > oldAt ? told(last.window.toMs, 'has no fresh numbers') : null
}

const isNothing = ({ last }: MetricState): boolean =>
  last?.candidate.kind === 'no-data' || last?.stable.kind === 'no-data'

/** Why nothing was counted. */
function emptiness({ last }: MetricState): string {
  const empty = [last?.candidate, last?.stable].find((side) => side?.kind === 'no-data')
  return empty?.kind === 'no-data' ? empty.reason : 'nothing was counted of one of the versions'
}

/** Which metrics a stage ended without, for its line; empty when there were none. */
export function ignoredText(rollout: RolloutState): string {
  if (comparedStage(rollout) === null) return ''
  const names = rollout.settings.analysis.metrics.flatMap((metric) => {
    const hurt = hurtOf(metric, metricStateOf(rollout, metric.name))
    if (metric.tier !== 'critical' || hurt?.policy !== 'ignore') return []
    return [`${metric.name} (${hurtText(hurt)})`]
  })
  return names.length === 0 ? '' : `; ignored as configured: ${names.join(', ')}`
}

export const hurtText = ({ kind, why }: Pick<Hurt, 'kind' | 'why'>): string =>
  `${kind === 'no-data' ? 'no data' : 'its provider is broken'}: ${why.replace(/\.$/, '')}`

/** A critical metric cannot be judged, and the file says to go back then. */
export function rollbackForLack(rollout: RolloutState): Reason | null {
  for (const metric of rollout.settings.analysis.metrics) {
    const hurt = hurtOf(metric, metricStateOf(rollout, metric.name))
    if (metric.tier !== 'critical' || hurt?.policy !== 'rollback') continue
    return {
      code: hurt.kind === 'no-data' ? 'METRIC_NO_DATA' : 'METRIC_PROVIDER_BROKEN',
      message: `metric ${metric.name} cannot be judged, and its policy is to roll back: ${hurtText(hurt)}`,
      evidence: { metric: metric.name, since: hurt.since },
      actor: ENGINE,
    }
  }
  return null
}
