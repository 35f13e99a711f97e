import type {
  MetricDefinition,
  MetricKind,
  MetricMeasure,
  MetricQuery,
} from '../core/shared/metric-definition.ts'
import { KIT_BOUNDS } from './conformance/metric-provider.ts'

const COMPARISON = { tolerance: { ratio: 1, points: 0.1 }, notice: { points: 1 } }

/** A metric for tests of providers. */
export const metricOf = (
  kind: MetricKind,
  query: MetricQuery,
  of: Partial<MetricDefinition> & { bounds?: readonly number[] } = {},
): MetricDefinition => {
  const { bounds = KIT_BOUNDS, ...rest } = of
  return {
    name: `a-${kind}`,
    measure: measureOf(kind, bounds),
    query,
    tier: 'warning',
    everyMs: 30_000,
    delayMs: 0,
    timeoutMs: 20_000,
    badValues: 'failure',
    noData: { afterMs: 300_000, policy: 'hold' },
    trouble: { failures: 5, retryMs: 2000, policy: 'hold' },
    ...rest,
  }
}

function measureOf(kind: MetricKind, bounds: readonly number[]): MetricMeasure {
  switch (kind) {
    case 'histogram':
      return { kind, bounds: [...bounds], ...COMPARISON }
    case 'value':
      return { kind, direction: 'less-is-worse', warningPercent: 10, criticalPercent: null }
    default:
      return { kind, direction: 'more-is-worse', ...COMPARISON }
  }
}
