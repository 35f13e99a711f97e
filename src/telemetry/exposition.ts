import type { Counter, Gauge, Registry, RegistryContentType } from 'prom-client'
import type { MetricDefinition } from './metric-definition.ts'
import { type Component, METRIC_TABLE } from './metric-table.ts'
import type { Distribution, Sample } from './sample.ts'

/** The answer to a scrape. */
export type Exposition = { contentType: string; text: string }

type Prometheus = typeof import('prom-client')
type AnyRegistry = Registry<RegistryContentType>

/**
 * Samples as text: OpenMetrics for who asks for it, the text format of Prometheus otherwise. Every metric of the process
 * is named, also one without samples yet. Nothing is kept between scrapes, and the library is loaded by the first one.
 *
 * @example expose('proxy', samples, request.headers.accept ?? '')
 */
export async function expose(
  component: Component,
  samples: readonly Sample[],
  accept: string,
): Promise<Exposition> {
  const library = await import('prom-client')
  const registry = new library.Registry<RegistryContentType>()
  if (accept.includes('application/openmetrics-text'))
    registry.setContentType(library.Registry.OPENMETRICS_CONTENT_TYPE)
  const byName = Map.groupBy(samples, ({ name }) => name)
  for (const row of METRIC_TABLE[component])
    fill(library, registry, { row, samples: byName.get(row.name) ?? [] })
  return { contentType: registry.contentType, text: await registry.metrics() }
}

type Filled = { row: MetricDefinition; samples: readonly Sample[] }
type Config = { name: string; help: string; labelNames: readonly string[]; registers: AnyRegistry[] }

/** A metric belongs to the registry from its making, so nothing is done with what these make. */
function fill(library: Prometheus, registry: AnyRegistry, { row, samples }: Filled): void {
  const { name, help, labels: labelNames } = row
  const config: Config = { name, help, labelNames, registers: [registry] }
  switch (row.type) {
    case 'counter':
      count(new library.Counter(config), samples)
      break
    case 'gauge':
      set(new library.Gauge(config), samples)
      break
    case 'histogram':
      spread(library, { ...config, buckets: [...(row.bounds ?? [])] }, samples)
  }
}

function count(counter: Counter, samples: readonly Sample[]): void {
  for (const { labels, value } of samples) if (typeof value === 'number') counter.inc({ ...labels }, value)
}

/** One without labels would begin at zero; what is not known is not zero. */
function set(gauge: Gauge, samples: readonly Sample[]): void {
  if (samples.length === 0) gauge.remove({})
  for (const { labels, value } of samples) if (typeof value === 'number') gauge.set({ ...labels }, value)
}

/** The library can only count values one by one; these were counted already. */
function spread(
  library: Prometheus,
  config: Config & { buckets: number[] },
  samples: readonly Sample[],
): void {
  const { name, help, buckets: bounds } = config
  const counted = samples.flatMap(({ labels, value }) =>
    typeof value === 'number' ? [] : [{ labels, value }],
  )
  // As for counters: one without labels begins at zero, so that its first value is an increase.
  const isUntouched = counted.length === 0 && config.labelNames.length === 0
  const none = { labels: {}, value: { buckets: new Array<number>(bounds.length + 1).fill(0), sum: 0 } }
  const values = (isUntouched ? [none] : counted).flatMap((one) => rowsOf(name, bounds, one))
  class Counted extends library.Histogram {
    async getForPromString() {
      return { name, help, type: 'histogram', values, aggregator: 'sum' }
    }
  }
  new Counted(config)
}

type Rows = { labels: Readonly<Record<string, string>>; value: Distribution }

function rowsOf(name: string, bounds: readonly number[], { labels, value: { buckets, sum } }: Rows) {
  let total = 0
  const steps = buckets.map((counted, index) => {
    total += counted
    const le = index < bounds.length ? String(bounds[index]) : '+Inf'
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total }
  })
  return [
    ...steps,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ]
}
