import { describe, expect, it } from 'vitest'
import { problem } from '../../core/shared/problem.ts'
import { createMetricProviderFake } from '../../testkit/fakes/metric-provider.ts'
import { metricOf } from '../../testkit/metric-definition.test.kit.ts'
import { createMetricTester, type MetricTestInput } from './tester.ts'

const QUERY = { provider: 'builtin', route: null, count: 'errors' } as const
const NOW = 1_000_000
const METRICS = [metricOf('ratio', QUERY), metricOf('value', QUERY)]

function scene({ history = 'kept' }: { history?: 'kept' | 'from-now-on' } = {}) {
  const fake = createMetricProviderFake()
  let now = NOW
  const slept: number[] = []
  const tester = createMetricTester({
    providerOf: () => ({ ...fake.provider, history }),
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms)
      now += ms
    },
  })
  return { fake, tester, slept }
}

const inputOf = (of: Partial<MetricTestInput> = {}): MetricTestInput => ({
  subject: { service: 'shop', environment: 'local' },
  analysis: { alpha: 0.01, newErrors: 'report', slo: null, metrics: METRICS },
  name: 'a-ratio',
  candidate: '2',
  stable: '1',
  windowMs: { kept: 60_000, fromNowOn: 5000 },
  ...of,
})

describe('a test of metrics', () => {
  it('asks for both versions in the same window, and says what the rule says', async () => {
    const { fake, tester } = scene()
    fake.put('1', NOW - 30_000, { kind: 'ratio', bad: 1, total: 1000 })
    fake.put('2', NOW - 30_000, { kind: 'ratio', bad: 100, total: 1000 })
    const [test] = await tester.test(inputOf())
    expect(test).toMatchObject({
      window: { fromMs: NOW - 60_000, toMs: NOW },
      candidate: { kind: 'sample', sample: { bad: 100 } },
      stable: { kind: 'sample', sample: { bad: 1 } },
      rule: { verdict: 'worse', sentence: expect.stringContaining('10%') },
    })
    expect(fake.asked.map(({ subject }) => subject.version)).toEqual(['2', '1'])
  })

  it('ends its window as far back as the numbers are late', async () => {
    const { fake, tester } = scene()
    const late = { ...metricOf('ratio', QUERY), delayMs: 7000 }
    await tester.test(inputOf({ analysis: { alpha: 0.01, newErrors: 'report', slo: null, metrics: [late] } }))
    expect(fake.asked[0]?.window).toEqual({ fromMs: NOW - 67_000, toMs: NOW - 7000 })
  })

  it('waits for a provider that keeps no history, and asks it before and after', async () => {
    const { fake, tester, slept } = scene({ history: 'from-now-on' })
    expect(tester.waitMs(inputOf())).toBe(5000)
    await tester.test(inputOf({ stable: null }))
    expect(slept).toEqual([5000])
    expect(fake.asked.map(({ window }) => window)).toEqual([
      { fromMs: NOW, toMs: NOW },
      { fromMs: NOW, toMs: NOW + 5000 },
    ])
  })

  it('tells no data, a broken provider and a single version apart', async () => {
    const { fake, tester } = scene()
    fake.put('2', NOW - 1000, { kind: 'ratio', bad: 0, total: 0 })
    const ruleOf = async (of: Partial<MetricTestInput> = {}) =>
      (await tester.test(inputOf(of)))[0]?.rule.verdict
    expect(await ruleOf()).toBe('no-data')
    expect(await ruleOf({ stable: null })).toBe('watching')
    fake.breakMetric('a-ratio', {
      problem: problem('METRIC_TIMEOUT', { message: 'Late.', remedy: 'Wait.' }),
      retryAfterMs: null,
    })
    expect(await ruleOf()).toBe('provider-broken')
  })

  it('measures a value by its distance, and says that this is advisory', async () => {
    const { fake, tester } = scene()
    fake.put('1', NOW - 1000, { kind: 'value', value: 100 })
    fake.put('2', NOW - 1000, { kind: 'value', value: 85 })
    const [test] = await tester.test(inputOf({ name: 'a-value' }))
    expect(test?.rule.verdict).toBe('worse')
    expect(test?.rule.sentence).toMatch(/15% below stable; that is a warning.*advisory/)
  })
})
