import type { Counted } from '../../core/shared/metric-sample.ts'
import { countedFrom, histogramFrom } from '../../core/shared/metric-sample.ts'
import type { MetricWindow } from '../../core/shared/metric-subject.ts'
import type { Problem } from '../../core/shared/problem.ts'
import type { MetricProvider, MetricReading, MetricRequest } from '../../ports/metric.ts'
import { cancelled, failure, readingOf, timedOut } from '../../ports/metric-problems.ts'
import type { Put } from '../conformance/metric-provider.ts'

/** What goes wrong with a metric of this name: an answer, or silence until the metric's timeout. */
export type FakeTrouble =
  | Pick<Extract<MetricReading, { kind: 'failure' }>, 'problem' | 'retryAfterMs'>
  | { silence: true }

export type MetricProviderFake = {
  provider: MetricProvider
  put(version: string, atMs: number, numbers: Put): void
  breakMetric(name: string, trouble: FakeTrouble | null): void
  /** Every question, in order. */
  asked: MetricRequest[]
}

type Row = { version: string; at: number; numbers: Put }

/**
 * A metric provider in memory: numbers at moments, added up over the window.
 *
 * @example const fake = createMetricProviderFake(); fake.put('1.4.0', 5000, { kind: 'ratio', bad: 1, total: 100 })
 */
export function createMetricProviderFake(): MetricProviderFake {
  const rows: Row[] = []
  const broken = new Map<string, FakeTrouble>()
  const asked: MetricRequest[] = []
  return {
    asked,
    put: (version, at, numbers) => void rows.push({ version, at, numbers }),
    breakMetric: (name, trouble) => {
      if (trouble === null) broken.delete(name)
      else broken.set(name, trouble)
    },
    provider: {
      kind: 'fake',
      history: 'kept',
      sample: async (request, signal) => {
        asked.push(request)
        const { metric, window, subject } = request
        const context = { metric, window, asked: [metric.name], notes: [], hide: (text: string) => text }
        const trouble = broken.get(metric.name)
        if (trouble !== undefined && 'silence' in trouble)
          return failure(await silence(metric, signal), context)
        if (trouble !== undefined) return failure(trouble.problem, context, trouble.retryAfterMs)
        const own = rows.filter((row) => row.version === subject.version && isIn(row.at, window))
        return readingOf(countedIn(own, request), context)
      },
    },
  }
}

const isIn = (at: number, { fromMs, toMs }: MetricWindow): boolean => at >= fromMs && at < toMs

const silence = (metric: MetricRequest['metric'], signal: AbortSignal | undefined) =>
  new Promise<Problem>((resolve) => {
    const late = setTimeout(() => resolve(timedOut('the fake', metric)), metric.timeoutMs)
    const stop = () => {
      clearTimeout(late)
      resolve(cancelled('the fake'))
    }
    if (signal?.aborted === true) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })

function countedIn(rows: readonly Row[], { metric: { measure } }: MetricRequest): Counted {
  const own = rows.flatMap(({ numbers }) => (numbers.kind === measure.kind ? [numbers] : []))
  if (measure.kind === 'histogram') {
    const bounds = [...measure.bounds, Number.POSITIVE_INFINITY]
    const sums = bounds.map((le, index) => ({
      le,
      count: own.reduce((sum, one) => sum + (one.kind === 'histogram' ? (one.counts[index] ?? 0) : 0), 0),
    }))
    return histogramFrom(measure.bounds, own.length === 0 ? [] : sums, { cumulative: false })
  }
  const sums: Record<string, number> = {}
  for (const numbers of own)
    for (const [part, value] of Object.entries(numbers))
      if (typeof value === 'number') sums[part] = (sums[part] ?? 0) + value
  return countedFrom(measure.kind, sums)
}
