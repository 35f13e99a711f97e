import { LATENCY_BOUNDS_MS } from '../../../core/shared/histogram.ts'
import type { BuiltinQuery, MetricMeasure } from '../../../core/shared/metric-definition.ts'
import {
  type BucketRow,
  type Counted,
  countedFrom,
  histogramFrom,
} from '../../../core/shared/metric-sample.ts'
import type { MetricSubject } from '../../../core/shared/metric-subject.ts'
import type { ReleaseCounts, ServiceCounts, TrafficCounts } from '../../../core/shared/traffic-counts.ts'
import type { MetricProvider, MetricReading, MetricRequest, MetricSource } from '../../../ports/metric.ts'
import { failure, nothing, type ReadingContext, readingOf } from '../../../ports/metric-problems.ts'
import { providerOf } from '../../../ports/metric-provider.ts'

/** Snapshots of one service: enough for the longest window at the shortest distance between two questions that matters. */
const MOST_SNAPSHOTS = 600
/** Where the data plane counts route classes beyond its limit. */
const OTHER = 'other'

type Snapshot = { at: number; counts: ServiceCounts }

/**
 * Metrics of the data plane itself. It keeps running totals and no history, so a window is what passed between two
 * questions: each edge is the first answer at or after it. Windows that follow each other never count a request twice.
 *
 * @example createBuiltinProvider({ source: createBuiltinMetricSource({ socket, now: Date.now }) })
 */
export function createBuiltinProvider({ source }: { source: MetricSource }): MetricProvider {
  const byStream = new Map<string, Snapshot[]>()
  return providerOf('builtin', {
    history: 'from-now-on',
    ask: async ({ request, query }) => {
      const stream = `${request.subject.service}.${request.subject.environment}`
      const context = contextOf(request, query)
      const answer = await source.query(stream)
      if (answer.kind === 'failure') return failure(answer.problem, context)
      if (answer.kind === 'no-data') return nothing(`The data plane does not know ${stream}.`, context)
      const known = [...(byStream.get(stream) ?? []), { at: answer.at, counts: answer.counts }]
        .slice(-MOST_SNAPSHOTS)
        .sort((a, b) => a.at - b.at)
      byStream.set(stream, known)
      return between(known, { request, query, context })
    },
  })
}

function contextOf({ metric, window }: MetricRequest, { count, route }: BuiltinQuery): ReadingContext {
  const what = metric.measure.kind === 'histogram' ? 'latency' : count
  const asked = [`${what} of ${route ?? 'all requests'}`]
  return { metric, window, asked, notes: [], hide: (text) => text }
}

type Question = { request: MetricRequest; query: BuiltinQuery; context: ReadingContext }

function between(known: readonly Snapshot[], { request, query, context }: Question): MetricReading {
  const { window, subject } = request
  const last = known.at(-1)
  const begin = known.find(({ at }) => at >= window.fromMs)
  const end = known.find(({ at }) => at >= window.toMs) ?? last
  if (begin === undefined || end === undefined || begin.at >= end.at)
    return nothing('Counting begins now: the data plane keeps totals and no history.', context)
  if (begin.counts.boot !== end.counts.boot)
    return nothing('The data plane was restarted in this window and began to count anew.', context)
  const covered = { ...context, window: { fromMs: begin.at, toMs: end.at } }
  const releases = end.counts.releases.filter((counts) => isOf(counts, subject))
  if (releases.length === 0)
    return nothing(`The data plane has sent nothing to ${subject.release ?? subject.version} yet.`, context)
  const spans = releases.map((counts) => spanOf({ counts, earlier: begin.counts, route: query.route }))
  if (spans.some((span) => span === 'hidden'))
    return nothing(
      `There are more route classes than the data plane tells apart; ${query.route} may be among the rest.`,
      context,
    )
  if (spans.some((span) => span === 'anew'))
    return nothing('The data plane forgot this version in this window and began to count anew.', context)
  const whole = spans.filter((span) => typeof span === 'object')
  return readingOf(counted(request.metric.measure, query, whole), covered)
}

/** `1.4.0-3f9ac01b22` is a release of version 1.4.0. */
const isOf = ({ release }: ReleaseCounts, subject: MetricSubject): boolean =>
  subject.release === null
    ? release.replace(/-[0-9a-f]{10}$/, '') === subject.version
    : release === subject.release

type Span = { before: TrafficCounts | undefined; after: TrafficCounts | undefined }

/** What a class was at both edges. One that was never counted is zero, unless it may be among the rest. */
function spanOf({
  counts,
  earlier,
  route,
}: {
  counts: ReleaseCounts
  earlier: ServiceCounts
  route: string | null
}): Span | 'hidden' | 'anew' {
  const old = earlier.releases.find(({ release }) => release === counts.release)
  if (old !== undefined && counts.total.requests < old.total.requests) return 'anew'
  if (route === null) return { before: old?.total, after: counts.total }
  if (counts.routes[route] === undefined && counts.routes[OTHER] !== undefined) return 'hidden'
  return { before: old?.routes[route], after: counts.routes[route] }
}

function counted(measure: MetricMeasure, { count }: BuiltinQuery, spans: readonly Span[]): Counted {
  const grown = (pick: (counts: TrafficCounts) => number): number =>
    spans.reduce(
      (sum, { before, after }) =>
        sum + (after === undefined ? 0 : pick(after)) - (before === undefined ? 0 : pick(before)),
      0,
    )
  const [events, requests] = [grown((counts) => amountOf(counts, count)), grown((counts) => counts.requests)]
  switch (measure.kind) {
    case 'ratio':
      return countedFrom('ratio', { bad: events, total: requests })
    case 'rate':
      return countedFrom('rate', { events, exposure: requests })
    case 'histogram':
      return histogramFrom(measure.bounds, cumulative(grown), { cumulative: true })
    case 'value':
      throw new Error('the data plane counts; it has no value')
  }
}

const amountOf = (counts: TrafficCounts, count: BuiltinQuery['count']): number => {
  switch (count) {
    case '2xx':
    case '3xx':
    case '4xx':
    case '5xx':
      return counts.status[count]
    default:
      return counts[count]
  }
}

function cumulative(grown: (pick: (counts: TrafficCounts) => number) => number): BucketRow[] {
  let below = 0
  return [...LATENCY_BOUNDS_MS, Number.POSITIVE_INFINITY].map((le, index) => {
    below += grown(({ latencyBuckets }) => latencyBuckets[index] ?? 0)
    return { le, count: below }
  })
}
