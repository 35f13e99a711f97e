import * as z from 'zod'
import type { MetricDefinition } from '../core/shared/metric-definition.ts'
import { complainAboutMetric } from './metric-conflicts.ts'
import { definitionOf } from './metric-of.ts'
import { MetricKeys } from './schema-metric-keys.ts'

/** Each one is asked for both versions, again and again. */
const MAX_METRICS = 50

export const MetricsSection = z
  .array(
    MetricKeys.superRefine(complainAboutMetric).transform((keys): MetricDefinition => definitionOf(keys)),
  )
  .max(MAX_METRICS)
