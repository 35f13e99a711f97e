import * as z from 'zod'
import { amountOf } from '../../../core/shared/metric-sample.ts'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import { parseJson } from '../../../ports/metric-http.ts'

/** One series of an instant vector; `labels` is empty for a scalar. */
export type Series = { labels: Partial<Record<string, string>>; value: number }

type Answer =
  | { kind: 'series'; series: Series[]; warnings: string[]; infos: string[] }
  | { kind: 'unreadable'; what: string }

const Point = z.tuple([z.number(), z.string()])
const Data = z.discriminatedUnion('resultType', [
  z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: Point.optional() })),
  }),
  z.object({ resultType: z.literal('scalar'), result: Point }),
  z.object({ resultType: z.literal('matrix') }),
  z.object({ resultType: z.literal('string') }),
])
const Success = z.object({
  status: z.literal('success'),
  data: Data,
  warnings: z.array(z.string()).default([]),
  infos: z.array(z.string()).default([]),
})
const Refusal = z.object({ status: z.literal('error'), error: z.string() })

/** The answer of `/api/v1/query`. */
export function readAnswer(body: string): Answer {
  const json = parseJson(body)
  if (json.kind === 'none') return unreadable(json.why)
  const refused = Refusal.safeParse(json.value)
  if (refused.success) return unreadable(refused.data.error)
  const parsed = Success.safeParse(json.value)
  if (!parsed.success) return unreadable('it is not an answer of the HTTP API of Prometheus')
  const { data, warnings, infos } = parsed.data
  switch (data.resultType) {
    case 'scalar':
      return withSeries([{ metric: {}, value: data.result }], { warnings, infos })
    case 'vector':
      return withSeries(data.result, { warnings, infos })
    case 'matrix':
      return unreadable('it is a matrix; put increase() or another function around the range')
    case 'string':
      return unreadable('it is a string and no number')
  }
}

type Entry = { metric: Record<string, string>; value?: readonly [number, string] | undefined }

function withSeries(entries: readonly Entry[], said: { warnings: string[]; infos: string[] }): Answer {
  const series: Series[] = []
  for (const { metric, value } of entries) {
    if (value === undefined)
      return unreadable('it is a native histogram; ask with histogram_fraction or classic buckets')
    const amount = amountOf(value[1])
    if (typeof amount !== 'number') return unreadable(`${JSON.stringify(value[1])} is no number`)
    series.push({ labels: metric, value: amount })
  }
  return { kind: 'series', series, ...said }
}

const unreadable = (what: string): Answer => ({ kind: 'unreadable', what })

/** What the server says about a refusal; the whole text where it speaks otherwise. */
export function errorIn(body: string): string {
  const json = parseJson(body)
  const refused = json.kind === 'json' ? Refusal.safeParse(json.value) : null
  return refused?.success === true ? refused.data.error : body
}

export const partial = (place: string, warnings: string): Problem =>
  problem('METRIC_PARTIAL', {
    message: `${place} answered with a warning, so something may be missing in the numbers: ${warnings}.`,
    remedy: 'Look at the provider. If the warning is harmless, write partial: accept.',
    retryable: true,
  })
