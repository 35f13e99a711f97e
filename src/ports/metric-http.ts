import type { MetricHeader } from '../core/shared/metric-definition.ts'
import { redactor } from '../core/shared/redact.ts'
import type { HttpClient, HttpRequest } from './http.ts'
import type { MetricReading, MetricRequest } from './metric.ts'
import { failure, httpTrouble, type ReadingContext, secretMissing } from './metric-problems.ts'

/** What a provider over HTTP is made of. Secrets are looked up anew for each question, so a rotated one counts at once. */
export type HttpProviderOptions = { http: HttpClient; secretOf: (name: string) => string | null }

/** More than the few numbers of a metric ever are, with all the words around them. */
const MAX_ANSWER_BYTES = 1_048_576

export type HttpQuestion = Pick<HttpRequest, 'method' | 'url' | 'body'> & {
  request: MetricRequest
  headers: readonly MetricHeader[]
  /** Of our own, not of the file. */
  contentType: string | null
  /** How messages name the other side; never a secret. */
  place: string
  asked: string[]
  /** Finds what the other side says about a refusal in its answer. */
  causeOf?: (body: string) => string
}

export type HttpAnswered =
  | { kind: 'body'; body: string; context: ReadingContext }
  | { kind: 'reading'; reading: MetricReading }

/** Asks, and gives the body of a good answer or the reading that a bad one amounts to. */
export async function askOverHttp(
  { http, secretOf }: HttpProviderOptions,
  question: HttpQuestion,
  signal: AbortSignal | undefined,
): Promise<HttpAnswered> {
  const { request, headers, contentType, place, method, url, body, causeOf = (text) => text } = question
  const { metric, window } = request
  const found = headersOf(headers, secretOf)
  const context: ReadingContext = {
    metric,
    window,
    asked: question.asked,
    notes: [],
    hide: redactor(found.secrets),
  }
  if (found.missing !== null) return reading(failure(secretMissing(metric, found.missing), context))
  const answer = await http.exchange(
    {
      method,
      url,
      body,
      headers: { ...found.headers, ...(contentType === null ? {} : { 'content-type': contentType }) },
      timeoutMs: metric.timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    },
    signal,
  )
  const readable = answer.kind === 'answered' ? { ...answer, body: bodyIn(answer, causeOf) } : answer
  const trouble = httpTrouble(readable, { ...context, place })
  if (trouble !== null) return reading(trouble)
  return { kind: 'body', body: answer.kind === 'answered' ? answer.body : '', context }
}

const bodyIn = (answer: { status: number; body: string }, causeOf: (body: string) => string): string =>
  answer.status >= 400 ? causeOf(answer.body) : answer.body

const reading = (of: MetricReading): HttpAnswered => ({ kind: 'reading', reading: of })

type FoundHeaders = { headers: Record<string, string>; secrets: string[]; missing: string | null }

function headersOf(
  headers: readonly MetricHeader[],
  secretOf: HttpProviderOptions['secretOf'],
): FoundHeaders {
  const found: FoundHeaders = { headers: {}, secrets: [], missing: null }
  for (const header of headers) {
    if (header.kind === 'plain') {
      found.headers[header.name.toLowerCase()] = header.value
      continue
    }
    const secret = secretOf(header.secret)
    if (secret === null) return { ...found, missing: header.secret }
    found.secrets.push(secret)
    if (header.kind === 'secret') found.headers[header.name.toLowerCase()] = `${header.prefix}${secret}`
    else {
      const basic = Buffer.from(`${header.user}:${secret}`).toString('base64')
      found.secrets.push(basic)
      found.headers.authorization = `Basic ${basic}`
    }
  }
  return found
}

/** The body as JSON, or why it is none. */
export function parseJson(body: string): { kind: 'json'; value: unknown } | { kind: 'none'; why: string } {
  try {
    return { kind: 'json', value: JSON.parse(body) }
  } catch {
    return { kind: 'none', why: body.trim() === '' ? 'it is empty' : 'it is no JSON' }
  }
}
