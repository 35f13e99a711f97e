import { AGENT_METRICS } from './agent-metrics.ts'
import { CONTROLLER_METRICS } from './controller-metrics.ts'
import type { MetricDefinition } from './metric-definition.ts'
import { PROCESS_METRICS } from './process-metrics.ts'
import { PROXY_METRICS } from './proxy-metrics.ts'

export type Component = 'controller' | 'proxy' | 'agent'

/** Everything that is exported, by the process that exports it. The exposition and the reference are made from this. */
export const METRIC_TABLE = {
  controller: [...PROCESS_METRICS, ...CONTROLLER_METRICS],
  proxy: [...PROCESS_METRICS, ...PROXY_METRICS],
  agent: [...PROCESS_METRICS, ...AGENT_METRICS],
} as const satisfies Record<Component, readonly MetricDefinition[]>

type Row = (typeof METRIC_TABLE)[Component][number]
export type CounterName = Extract<Row, { type: 'counter' }>['name']
export type GaugeName = Extract<Row, { type: 'gauge' }>['name']
export type HistogramName = Extract<Row, { type: 'histogram' }>['name']
/** The labels of a metric, each with its value. */
export type LabelsOf<Name extends Row['name']> = Record<
  Extract<Row, { name: Name }>['labels'][number],
  string
>
