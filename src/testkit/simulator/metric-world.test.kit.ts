import type { MetricSide } from '../../core/rollout/metrics/metric-state.ts'
import { timelineEntry } from '../../core/rollout/view/timeline.ts'
import type { MetricDefinition } from '../../core/shared/metric-definition.ts'
import { problem } from '../../core/shared/problem.ts'
import { metricOf } from '../metric-definition.test.kit.ts'
import { viewOf } from './course.test.kit.ts'
import { NEW } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { type AnswerMetric, createWorld, type World } from './world.ts'

const QUERY = { provider: 'command', command: ['count'], secrets: [] } as const
export const COVERED = { fromMs: 0, toMs: 1 }
export const declared = (change: Partial<MetricDefinition> = {}): MetricDefinition => ({
  ...metricOf('ratio', { ...QUERY, command: ['count'], secrets: [] }),
  name: 'payment-failures',
  tier: 'critical',
  everyMs: 2000,
  noData: { afterMs: 6000, policy: 'hold' },
  trouble: { failures: 3, retryMs: 500, policy: 'hold' },
  ...change,
})
export const worldWith = (metric: MetricDefinition, answers: AnswerMetric): World => {
  const world = createWorld({ settings: simulatedSettings({ analysis: { metrics: [metric] } }) })
  world.setMetricAnswers(answers)
  world.withStable()
  world.deploy(NEW)
  return world
}
export const counts = (bad: number, total: number): MetricSide => ({
  kind: 'counts',
  side: { bad, total },
  covered: COVERED,
  asked: ['count bad things'],
})
export const value = (of: number): MetricSide => ({
  kind: 'value',
  value: of,
  covered: COVERED,
  asked: ['revenue'],
})
export const nothing: MetricSide = {
  kind: 'no-data',
  reason: 'There is nothing.',
  asked: ['count bad things'],
}
export const trouble = (retryAfterMs: number | null = null): MetricSide => ({
  kind: 'failure',
  problem: problem('METRIC_NOT_REACHED', { message: 'Nobody answers.', remedy: 'Look.', retryable: true }),
  retryAfterMs,
  asked: [],
})
/** Stable is fine; the candidate answers this. */
export const candidateSays =
  (side: MetricSide): AnswerMetric =>
  (_, version) =>
    version === NEW ? side : counts(1, 1000)
export const healthy = candidateSays(counts(1, 1000))
export const isPaused = (world: World): boolean => {
  const phase = world.state().rollout?.phase
  return phase?.kind === 'running' && phase.paused !== null
}
export const told = (world: World): string[] =>
  world.events().flatMap((event) => {
    const entry = event.kind === 'metric-sampled' ? timelineEntry(1, event, String) : null
    return entry === null ? [] : [entry.text]
  })
export const rowOf = (world: World, name = 'payment-failures') =>
  viewOf(world).checks.find((check) => check.name === name)
