import type { PrometheusQuery } from '../../../core/shared/metric-definition.ts'
import {
  type Amount,
  type BucketRow,
  countedFrom,
  histogramFrom,
} from '../../../core/shared/metric-sample.ts'
import { fillTemplate, placeholderValues } from '../../../core/shared/metric-template.ts'
import type { MetricProvider, MetricReading, MetricRequest } from '../../../ports/metric.ts'
import { askOverHttp, type HttpProviderOptions } from '../../../ports/metric-http.ts'
import {
  failure,
  type ReadingContext,
  readingOf,
  severalWhereOne,
  unreadable,
} from '../../../ports/metric-problems.ts'
import { providerOf } from '../../../ports/metric-provider.ts'
import { errorIn, partial, readAnswer, type Series } from './answer.ts'

/**
 * Asks a server that speaks the HTTP API of Prometheus (Thanos, Mimir, VictoriaMetrics do too). Each part of a metric is
 * an instant query at the end of the window; `{{window}}` is the range.
 *
 * @example createPrometheusProvider({ http: createHttpClient(), secretOf: () => null })
 */
export const createPrometheusProvider = (options: HttpProviderOptions): MetricProvider =>
  providerOf('prometheus', { history: 'kept', ask: (question, signal) => sample(options, question, signal) })

type Question = { request: MetricRequest; query: PrometheusQuery }
type PartAnswer =
  | { kind: 'series'; name: string; series: Series[]; context: ReadingContext }
  | { kind: 'reading'; reading: MetricReading }

async function sample(
  options: HttpProviderOptions,
  question: Question,
  signal: AbortSignal | undefined,
): Promise<MetricReading> {
  const parts = Object.entries(question.query.parts)
  const asked = parts.map(([, text]) => promql(text, question.request))
  const answers = await Promise.all(
    parts.map(([name], index) =>
      askPart(options, { ...question, name, text: asked[index] ?? '', asked }, signal),
    ),
  )
  const stopped = answers.find((answer) => answer.kind === 'reading')
  if (stopped !== undefined) return stopped.reading
  const seen = answers.filter((answer) => answer.kind === 'series')
  const [first] = seen
  if (first === undefined) throw new Error(`the metric ${question.request.metric.name} has no query`)
  const context = { ...first.context, notes: [...new Set(seen.flatMap((answer) => answer.context.notes))] }
  return combine(seen, context, placeOf(question.query))
}

function combine(
  answers: readonly { name: string; series: Series[] }[],
  context: ReadingContext,
  place: string,
): MetricReading {
  const { measure } = context.metric
  if (measure.kind === 'histogram') {
    const series = answers[0]?.series ?? []
    const twice = seriesBesideBuckets(series)
    if (twice.length > 1) return failure(severalWhereOne(place, twice), context)
    return readingOf(histogramFrom(measure.bounds, series.map(rowOf), { cumulative: true }), context)
  }
  const several = answers.find(({ series }) => series.length > 1)
  if (several !== undefined) return failure(severalWhereOne(place, several.series.map(labelText)), context)
  const parts: Record<string, Amount> = {}
  for (const { name, series } of answers) parts[name] = series[0]?.value ?? null
  return readingOf(countedFrom(measure.kind, parts), context)
}

async function askPart(
  options: HttpProviderOptions,
  { request, query, name, text, asked }: Question & { name: string; text: string; asked: string[] },
  signal: AbortSignal | undefined,
): Promise<PartAnswer> {
  const place = placeOf(query)
  const answer = await askOverHttp(
    options,
    {
      request,
      headers: query.headers,
      place,
      asked,
      method: 'POST',
      url: `${query.address.replace(/\/+$/, '')}/api/v1/query`,
      contentType: 'application/x-www-form-urlencoded',
      body: new URLSearchParams({
        query: text,
        time: `${request.window.toMs / 1000}`,
        timeout: `${request.metric.timeoutMs}ms`,
        // Thanos then refuses instead of leaving something out; Prometheus does not know the word.
        ...(query.partial === 'refuse' ? { partial_response: 'false' } : {}),
      }).toString(),
      causeOf: errorIn,
    },
    signal,
  )
  if (answer.kind === 'reading') return answer
  const { context } = answer
  const read = readAnswer(answer.body)
  if (read.kind === 'unreadable')
    return { kind: 'reading', reading: failure(unreadable(place, `${read.what} (${name})`), context) }
  if (read.warnings.length > 0 && query.partial === 'refuse')
    return {
      kind: 'reading',
      reading: failure(partial(place, context.hide(read.warnings.join('; '))), context),
    }
  const notes = [...read.warnings, ...read.infos].map(context.hide)
  return { kind: 'series', name, series: read.series, context: { ...context, notes } }
}

/** A value cannot end the string it stands in. */
const promql = (text: string, { subject, window }: MetricRequest): string =>
  fillTemplate(text, placeholderValues(subject, window), (value) => value.replace(/[\\"]/g, '\\$&'))

const placeOf = ({ address }: PrometheusQuery): string =>
  `Prometheus at ${URL.parse(address)?.host ?? address}`

/** A series without `le` is no bucket: its bound is no number, which is never taken for a count. */
const rowOf = ({ labels, value }: Series): BucketRow => ({
  le: labels.le === undefined ? Number.NaN : Number(labels.le.replace(/^\+Inf$/i, 'Infinity')),
  count: value,
})

/** What tells the series apart beside the bucket; more than one means that a `sum by (le)` is missing. */
const seriesBesideBuckets = (series: readonly Series[]): string[] => [
  ...new Set(series.map(({ labels: { le: _le, ...labels }, value }) => labelText({ labels, value }))),
]

function labelText({ labels }: Series): string {
  const { __name__: name = '', ...rest } = labels
  return `${name}{${Object.entries(rest)
    .map(([label, value]) => `${label}="${value}"`)
    .join(', ')}}`
}
