import { countedFrom, histogramFrom } from '../../../core/shared/metric-sample.ts'
import { problem } from '../../../core/shared/problem.ts'
import type { MetricReading, MetricRequest } from '../../../ports/metric.ts'
import { failure, nothing, type ReadingContext, readingOf } from '../../../ports/metric-problems.ts'
import { BOUNDS, type ProviderFault } from './signals.ts'

const COUNTED = 1000
/** Of so many counted, in each bucket: the last one is above all bounds. */
const BUCKETS = { good: [900, 90, 9, 1], bad: [100, 100, 200, 600] }
/** Counts are exact and the same in each window: whatever a verdict finds between two good versions, it made up. */
const SHARES = { few: 0.01, many: 0.6 }

/** Whoever is asked for declared metrics: knows how the versions do, and may tell something else. */
export type SimulatedProviders = {
  strike(metric: string, fault: ProviderFault | null): void
  heal(): void
  /** `null`: no answer ever comes. */
  answer(request: MetricRequest): MetricReading | null
  /** Told something else than the truth about this metric, ever. */
  hasLied(metric: string): boolean
}

export function createProviders(isHarmful: (release: string) => boolean): SimulatedProviders {
  const struck = new Map<string, ProviderFault>()
  const lied = new Set<string>()

  function answer(request: MetricRequest): MetricReading | null {
    const { metric, subject, window } = request
    const context: ReadingContext = { metric, window, asked: ['count'], notes: [], hide: (text) => text }
    const release = subject.release ?? ''
    const isBad = isHarmful(release)
    const fault = struck.get(metric.name) ?? null
    switch (fault) {
      case null:
        return told(request, isBad ? 'bad' : 'good', context)
      case 'lies':
        lied.add(metric.name)
        return told(request, isToldBad(subject.version) ? 'bad' : 'good', context)
      case 'zeros':
        return told(request, 'nothing', context)
      case 'empty':
        return nothing('There is nothing.', context)
      case 'half':
        return isToldBad(subject.version)
          ? nothing('There is nothing.', context)
          : told(request, isBad ? 'bad' : 'good', context)
      case 'failure':
      case 'retry-later':
        return failure(BROKEN, context, fault === 'failure' ? null : 700)
      case 'nan':
        return readingOf({ kind: 'impossible', what: 'bad is NaN' }, context)
      case 'silent':
        return null
    }
  }

  return {
    strike: (metric, fault) => {
      if (fault === null) struck.delete(metric)
      else struck.set(metric, fault)
    },
    heal: () => struck.clear(),
    answer,
    hasLied: (metric) => lied.has(metric),
  }
}

const BROKEN = problem('METRIC_NOT_REACHED', {
  message: 'Nobody answers.',
  remedy: 'Look.',
  retryable: true,
})

/** So that two versions are told apart, whatever they are. */
const isToldBad = (version: string): boolean => version > '2'

type Told = 'good' | 'bad' | 'nothing'

function told({ metric: { measure } }: MetricRequest, how: Told, context: ReadingContext): MetricReading {
  const total = how === 'nothing' ? 0 : COUNTED
  const isLess = 'direction' in measure && measure.direction === 'less-is-worse'
  const share = (how === 'bad') === isLess ? SHARES.few : SHARES.many
  const count = Math.round(total * share)
  switch (measure.kind) {
    case 'ratio':
      return readingOf(countedFrom('ratio', { bad: count, total }), context)
    case 'rate':
      return readingOf(countedFrom('rate', { events: count, exposure: total }), context)
    case 'value':
      return how === 'nothing'
        ? nothing('There is nothing.', context)
        : readingOf(countedFrom('value', { value: count }), context)
    case 'histogram': {
      const counts = how === 'nothing' ? [0, 0, 0, 0] : BUCKETS[how]
      const rows = counts.map((of, index) => ({ le: BOUNDS[index] ?? Number.POSITIVE_INFINITY, count: of }))
      return readingOf(histogramFrom(BOUNDS, rows, { cumulative: false }), context)
    }
  }
}
