import type { MetricQuery, ProviderName } from '../core/shared/metric-definition.ts'
import type { MetricProvider, MetricReading, MetricRequest } from './metric.ts'

type QueryOf<K extends ProviderName> = Extract<MetricQuery, { provider: K }>

export type Answering<K extends ProviderName> = Pick<MetricProvider, 'history'> & {
  ask(
    question: { request: MetricRequest; query: QueryOf<K> },
    signal: AbortSignal | undefined,
  ): Promise<MetricReading>
}

/**
 * A provider of one kind, which answers about metrics of that kind only; to be given another one is a bug.
 *
 * @example providerOf('command', { history: 'kept', ask: ({ request, query }, signal) => run(request, query, signal) })
 */
export const providerOf = <K extends ProviderName>(
  kind: K,
  { history, ask }: Answering<K>,
): MetricProvider => ({
  kind,
  history,
  sample: (request, signal) => {
    const { query } = request.metric
    if (!isOf(kind, query)) throw new Error(`a metric of ${query.provider} was given to ${kind}`)
    return ask({ request, query }, signal)
  },
})

const isOf = <K extends ProviderName>(kind: K, query: MetricQuery): query is QueryOf<K> =>
  query.provider === kind
