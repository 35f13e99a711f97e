import type { MetricDefinition } from '../../shared/metric-definition.ts'
import type { MetricSubject, MetricWindow } from '../../shared/metric-subject.ts'
import { shadowingOf } from '../shadow/shadowing.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import { LONGEST_RETRY_MS, metricStateOf } from './metric-count.ts'
import type { MetricState } from './metric-state.ts'

/** After a long absence one window holds all of it, and no more than this: sources keep no more, or are slow to add it up. */
const LONGEST_WINDOW_MS = 3_600_000
const ALL = 1000

/** What is to be asked about one declared metric of a rollout. */
export type MetricQuestion = {
  rollout: string
  metric: MetricDefinition
  candidate: MetricSubject
  stable: MetricSubject
  /** The window that comes next begins here. */
  fromMs: number
  /** The window, once it is over and its numbers have arrived; `null` before. */
  window: MetricWindow | null
}

/**
 * The declared metrics of the present stage and their next windows. Windows lie end to end and each within one stage, so
 * that none holds two weights; the first begins after the warm-up. While only one version has traffic there is nothing
 * to compare and nothing is asked.
 */
export function metricQuestions(state: ServiceState, now: number): MetricQuestion[] {
  const { rollout } = state
  if (rollout === null) return []
  const stage = comparedStage(rollout)
  const { from, to } = rollout.plan
  if (stage === null || from === null) return []
  const { service, environment } = rollout.plan
  return rollout.settings.analysis.metrics.map((metric): MetricQuestion => {
    const known = metricStateOf(rollout, metric.name)
    const fromMs = beginOf(known, stage.warmAt, now)
    return {
      rollout: rollout.id,
      metric,
      candidate: { service, environment, version: to.version, release: to.release },
      stable: { service, environment, version: from.version, release: from.release },
      fromMs,
      window: windowFrom(fromMs, { metric, known, now }),
    }
  })
}

/** The stage in which both versions have traffic: when it began, and when its caches are warm; `null` when there is none. */
export function comparedStage({
  plan,
  phase,
  steps,
  stepIndex,
  settings,
}: RolloutState): { startedAt: number; warmAt: number } | null {
  const step = plan.steps[stepIndex]?.step
  const startedAt = steps[stepIndex]?.startedAt ?? null
  if (plan.kind !== 'deploy' || phase.kind !== 'running' || step?.kind !== 'observe' || startedAt === null)
    return null
  const before = plan.steps.slice(0, stepIndex).findLast((one) => one.step.kind === 'traffic')?.step
  const isShared = before?.kind === 'traffic' && before.weightPermille < ALL
  if (!isShared && shadowingOf(step) === null) return null
  const lasts = step.durationMs ?? Number.POSITIVE_INFINITY
  return { startedAt, warmAt: startedAt + Math.min(settings.analysis.warmUpMs, lasts / 2) }
}

/** Where the next window begins. What was answered under a clock that was ahead does not stop the asking. */
function beginOf({ last }: MetricState, warmAt: number, now: number): number {
  const answeredTo = last?.window.toMs ?? 0
  return answeredTo > now ? warmAt : Math.max(answeredTo, warmAt)
}

type Known = { metric: MetricDefinition; known: MetricState; now: number }

function windowFrom(fromMs: number, { metric, known, now }: Known): MetricWindow | null {
  if (isLeftAlone(known, now)) return null
  const toMs = now - metric.delayMs
  return toMs < fromMs + metric.everyMs ? null : { fromMs: Math.max(fromMs, toMs - LONGEST_WINDOW_MS), toMs }
}

/** After a failure nobody asks before it is time. */
export function isLeftAlone({ failures }: MetricState, now: number): boolean {
  if (failures === null || now >= failures.askAgainAt) return false
  const { askAgainAt, failedAt = askAgainAt - LONGEST_RETRY_MS } = failures
  return now >= failedAt
}
