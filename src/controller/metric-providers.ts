import { createHttpClient } from '../adapters/http/undici/http.ts'
import { createBuiltinProvider } from '../adapters/metrics/builtin/provider.ts'
import { createCommandProvider } from '../adapters/metrics/command/command.ts'
import { createJsonProvider } from '../adapters/metrics/json/json.ts'
import { createPrometheusProvider } from '../adapters/metrics/prometheus/prometheus.ts'
import { createSqlProvider } from '../adapters/metrics/sql/sql.ts'
import type { MetricDefinition, ProviderName } from '../core/shared/metric-definition.ts'
import type { MetricProvider, MetricSource } from '../ports/metric.ts'

export type MetricProviderParts = {
  secretOf: (name: string) => string | null
  /** Folder of the configuration, where commands of metrics run. */
  folder: string
  /** The counters of the data plane. */
  source: MetricSource
}

/** The provider of each metric; they are made once, because the built-in one remembers what it has seen. */
export function createMetricProviders({
  secretOf,
  folder,
  source,
}: MetricProviderParts): (metric: MetricDefinition) => MetricProvider {
  const http = createHttpClient()
  const byName: Record<ProviderName, MetricProvider> = {
    prometheus: createPrometheusProvider({ http, secretOf }),
    json: createJsonProvider({ http, secretOf }),
    sql: createSqlProvider({ secretOf }),
    command: createCommandProvider({ secretOf, cwd: folder }),
    builtin: createBuiltinProvider({ source }),
  }
  return ({ query }) => byName[query.provider]
}
