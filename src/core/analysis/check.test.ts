import { describe, expect, it } from 'vitest'
import { metricOf } from '../../testkit/metric-definition.test.kit.ts'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
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
