import { alphaOfMetric, type Budgeted } from '../../core/analysis/check.ts'
import type { MetricDefinition } from '../../core/shared/metric-definition.ts'
import type { MetricSubject, MetricWindow } from '../../core/shared/metric-subject.ts'
import type { MetricProvider, MetricReading } from '../../ports/metric.ts'
import { type RuleAnswer, ruleAnswer } from './rule.ts'

/** Which metrics to ask for, of whom, and for how long. */
export type MetricTestInput = {
  subject: Pick<MetricSubject, 'service' | 'environment'>
  analysis: Budgeted
  /** Only this one; `null` for all. */
  name: string | null
  /** Versions; at least one of the two. */
  candidate: string | null
  stable: string | null
  /** Of providers that keep history, and of those that only know what passes from now on. */
  windowMs: { kept: number; fromNowOn: number }
}

/** What one metric said. */
export type MetricTest = {
  metric: MetricDefinition
  window: MetricWindow
  candidate: MetricReading | null
  stable: MetricReading | null
  rule: RuleAnswer
}

export type MetricTesterParts = {
  providerOf: (metric: MetricDefinition) => MetricProvider
  now: () => number
  sleep: (ms: number) => Promise<void>
}

/** Asks the metrics of a service once, without a rollout. */
export type MetricTester = {
  /** How long `test` will wait before it can ask; 0 when no metric needs it. */
  waitMs(input: MetricTestInput): number
  test(input: MetricTestInput): Promise<MetricTest[]>
}

export function createMetricTester(parts: MetricTesterParts): MetricTester {
  return {
    waitMs: (input) =>
      chosen(input).some((metric) => beginsNow(parts, metric)) ? input.windowMs.fromNowOn : 0,
    test: (input) => test(parts, input),
  }
}

const chosen = ({ analysis, name }: MetricTestInput): MetricDefinition[] =>
  analysis.metrics.filter((metric) => name === null || metric.name === name)

const beginsNow = ({ providerOf }: MetricTesterParts, metric: MetricDefinition): boolean =>
  providerOf(metric).history === 'from-now-on'

async function test(parts: MetricTesterParts, input: MetricTestInput): Promise<MetricTest[]> {
  const metrics = chosen(input)
  const began = parts.now()
  const late = metrics.filter((metric) => beginsNow(parts, metric))
  for (const metric of late) await bothSides(parts, input, { metric, window: { fromMs: began, toMs: began } })
  // One after the other: a person waits, and the providers have others to serve.
  const tests: MetricTest[] = []
  for (const metric of metrics.filter((one) => !late.includes(one))) {
    const toMs = parts.now() - metric.delayMs
    tests.push(await testOne(parts, input, { metric, window: { fromMs: toMs - input.windowMs.kept, toMs } }))
  }
  const left = began + input.windowMs.fromNowOn - parts.now()
  if (late.length > 0 && left > 0) await parts.sleep(left)
  for (const metric of late)
    tests.push(await testOne(parts, input, { metric, window: { fromMs: began, toMs: parts.now() } }))
  return tests.toSorted((a, b) => metrics.indexOf(a.metric) - metrics.indexOf(b.metric))
}

type Question = { metric: MetricDefinition; window: MetricWindow }

async function testOne(
  parts: MetricTesterParts,
  input: MetricTestInput,
  { metric, window }: Question,
): Promise<MetricTest> {
  const sides = await bothSides(parts, input, { metric, window })
  const { alpha: beta } = input.analysis
  const budget = { alpha: alphaOfMetric(input.analysis, metric), beta }
  return { metric, window, ...sides, rule: ruleAnswer(metric, sides, budget) }
}

async function bothSides(
  { providerOf }: MetricTesterParts,
  { subject, candidate, stable }: MetricTestInput,
  { metric, window }: Question,
): Promise<{ candidate: MetricReading | null; stable: MetricReading | null }> {
  const provider = providerOf(metric)
  const ask = (version: string | null): Promise<MetricReading | null> =>
    version === null
      ? Promise.resolve(null)
      : provider.sample({ metric, window, subject: { ...subject, version, release: null } })
  const [ofCandidate, ofStable] = await Promise.all([ask(candidate), ask(stable)])
  return { candidate: ofCandidate, stable: ofStable }
}
