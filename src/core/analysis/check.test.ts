import { describe, expect, it } from 'vitest'
import { metricOf } from '../../testkit/metric-definition.test.kit.ts'
import { type SettingsChange, simulatedSettings } from '../../testkit/simulator/settings.ts'
import type { MetricDefinition } from '../shared/metric-definition.ts'
import { alphaOfMetric, alphaPerGroup, checksOf } from './check.ts'

const QUERY = { provider: 'builtin', route: null, count: 'errors' } as const
const declared = (name: string, tier: MetricDefinition['tier']): MetricDefinition => ({
  ...metricOf('ratio', QUERY),
  name,
  tier,
})
const settingsWith = (...metrics: MetricDefinition[]) => simulatedSettings({ analysis: { metrics } }).analysis

describe('the false-alarm budget', () => {
  it('has three groups, and a fourth as soon as a critical metric is declared', () => {
    expect(alphaPerGroup(settingsWith())).toBeCloseTo(0.01 / 3)
    expect(alphaPerGroup(settingsWith(declared('a', 'warning'), declared('b', 'report')))).toBeCloseTo(
      0.01 / 3,
    )
    expect(alphaPerGroup(settingsWith(declared('a', 'critical'), declared('b', 'critical')))).toBeCloseTo(
      0.01 / 4,
    )
  })

  it('leaves errors and latency their thirds when the limits have some that take minutes', () => {
    const forLong = { throughputPercent: 50, p95TimesStable: 1.5, overMs: 300_000 }
    const critical = { errorRatePercent: 1, errorPointsOverStable: 5, p99Ms: 1000, p95TimesStable: 2 }
    const compare = { errors: { ratio: 1, points: 0.1 }, latency: { ratio: 1, points: 1 } }
    const alphas = (analysis: NonNullable<SettingsChange['analysis']>): Map<string, number> =>
      new Map(checksOf(simulatedSettings({ analysis }).analysis).map(({ name, alpha }) => [name, alpha]))
    const before = alphas({ compare, critical, warning: {} })
    expect(before.get('p99 latency (critical)')).toBe(0.01 / 3 / 4)
    const after = alphas({
      compare: { ...compare, crashes: { ratio: 1 } },
      critical: { ...critical, forLong },
      warning: { errorRatePercent: 0.5, throughputPercent: 50 },
    })
    expect(after.get('errors against stable')).toBe(0.01 / 3)
    expect(after.get('latency against stable')).toBe(0.01 / 3)
    expect(after.get('p99 latency (critical)')).toBeCloseTo((0.9 * 0.01) / 3 / 4)
    for (const name of [
      'throughput for long (critical)',
      'p95 over stable for long (critical)',
      'crashes against stable',
    ])
      expect(after.get(name)).toBeCloseTo((0.1 * 0.01) / 3 / 3)
    const rollingBack = [...after].filter(([name]) => !name.includes('warning'))
    expect(rollingBack.reduce((sum, [, alpha]) => sum + alpha, 0)).toBeCloseTo(0.01)
    expect(after.get('throughput (warning)')).toBeCloseTo((0.1 * 0.01) / 3)
  })

  it('gives a value nothing, because a value has no statistics', () => {
    const value = { ...metricOf('value', QUERY), tier: 'critical' as const }
    expect(alphaPerGroup(settingsWith(value))).toBeCloseTo(0.01 / 3)
  })

  it('is never more than alpha for all that may roll back, however many metrics there are', () => {
    const metrics = Array.from({ length: 7 }, (_, index) => declared(`m${index}`, 'critical'))
    const settings = settingsWith(...metrics)
    const checks = checksOf(settings).filter(({ tier }) => tier !== 'warning')
    const spent = [...checks.map(({ alpha }) => alpha), ...metrics.map((one) => alphaOfMetric(settings, one))]
    expect(spent.reduce((sum, alpha) => sum + alpha, 0)).toBeCloseTo(0.01)
  })
})
