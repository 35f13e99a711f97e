import * as z from 'zod'
import { type JsonQuery, METRIC_PARTS } from '../../../core/shared/metric-definition.ts'
import {
  type Amount,
  amountOf,
  type BucketRow,
  countedFrom,
  histogramFrom,
} from '../../../core/shared/metric-sample.ts'
import {
  fillTemplate,
  type MetricPlaceholder,
  placeholderValues,
} from '../../../core/shared/metric-template.ts'
import type { Problem } from '../../../core/shared/problem.ts'
import type { MetricProvider, MetricReading, MetricRequest } from '../../../ports/metric.ts'
import { askOverHttp, type HttpProviderOptions, parseJson } from '../../../ports/metric-http.ts'
import {
  failure,
  queryRefused,
  type ReadingContext,
  readingOf,
  severalWhereOne,
  unreadable,
} from '../../../ports/metric-problems.ts'
import { providerOf } from '../../../ports/metric-provider.ts'
import { nodesAt } from '../../tools/json-nodes.ts'

/**
 * Asks any address that answers with JSON, and finds the numbers by JSONPath (RFC 9535).
 *
 * @example createJsonProvider({ http: createHttpClient(), secretOf: (name) => process.env[name] ?? null })
 */
export const createJsonProvider = (options: HttpProviderOptions): MetricProvider =>
  providerOf('json', { history: 'kept', ask: (question, signal) => sample(options, question, signal) })

type Question = { request: MetricRequest; query: JsonQuery }

async function sample(
  options: HttpProviderOptions,
  { request, query }: Question,
  signal: AbortSignal | undefined,
): Promise<MetricReading> {
  const values = placeholderValues(request.subject, request.window)
  const url = fillTemplate(query.url, values, encodeURIComponent)
  const body = query.body === null ? null : fillTemplate(query.body, values, insideJson)
  const place = `the JSON source at ${URL.parse(url)?.host ?? 'an address that cannot be read'}`
  const asked = [`${query.method} ${url}`, ...(body === null ? [] : [body])]
  const { method, headers } = query
  const contentType = body === null ? null : 'application/json'
  const answer = await askOverHttp(
    options,
    { request, headers, place, asked, method, url, body, contentType },
    signal,
  )
  if (answer.kind === 'reading') return answer.reading
  const json = parseJson(answer.body)
  if (json.kind === 'none') return failure(unreadable(place, json.why), answer.context)
  return readDocument({ document: json.value, query, values, place }, answer.context)
}

type Document = {
  document: unknown
  query: JsonQuery
  values: Record<MetricPlaceholder, string>
  place: string
}

function readDocument({ document, query, values, place }: Document, context: ReadingContext): MetricReading {
  const { measure } = context.metric
  const found: Record<string, unknown[]> = {}
  for (const name of METRIC_PARTS[measure.kind]) {
    const path = fillTemplate(query.parts[name] ?? '', values, insideJson)
    const nodes = nodesAt(document, path)
    if (nodes.kind === 'failed') return failure(queryRefused(place, `${path}: ${nodes.problem}`), context)
    found[name] = nodes.value
  }
  if (measure.kind === 'histogram') {
    const rows = bucketRows(found.buckets ?? [])
    if (rows === null)
      return failure(
        unreadable(place, 'the buckets are not a list of { "le": number, "count": number }'),
        context,
      )
    return readingOf(histogramFrom(measure.bounds, rows, { cumulative: false }), context)
  }
  const amounts: Record<string, Amount> = {}
  for (const [name, nodes] of Object.entries(found)) {
    const amount = theOne(nodes, { name, place })
    if (amount.kind === 'problem') return failure(amount.problem, context)
    amounts[name] = amount.amount
  }
  return readingOf(countedFrom(measure.kind, amounts), context)
}

type One = { kind: 'amount'; amount: Amount } | { kind: 'problem'; problem: Problem }

function theOne(nodes: readonly unknown[], { name, place }: { name: string; place: string }): One {
  if (nodes.length > 1) return { kind: 'problem', problem: severalWhereOne(place, nodes.map(shown)) }
  if (nodes.length === 0) return { kind: 'amount', amount: null }
  const amount = amountOf(nodes[0])
  return amount === undefined
    ? { kind: 'problem', problem: unreadable(place, `${name} is ${shown(nodes[0])}, which is no number`) }
    : { kind: 'amount', amount }
}

const Bucket = z.object({ le: z.unknown(), count: z.unknown() })

/** The path may name each bucket, or the list of them. */
function bucketRows(nodes: readonly unknown[]): BucketRow[] | null {
  const [only] = nodes
  const list: readonly unknown[] = nodes.length === 1 && Array.isArray(only) ? only : nodes
  const rows: BucketRow[] = []
  for (const one of list) {
    const bucket = Bucket.safeParse(one)
    const le = amountOf(bucket.data?.le)
    const count = amountOf(bucket.data?.count)
    if (le === undefined || count === undefined) return null
    rows.push({ le, count })
  }
  return rows
}

const SHOWN_CHARACTERS = 60
const shown = (node: unknown): string => (JSON.stringify(node) ?? 'nothing').slice(0, SHOWN_CHARACTERS)

/** For a text that stands between quotes in JSON, and in JSONPath, whose strings are the same. */
const insideJson = (value: string): string => JSON.stringify(value).slice(1, -1)
