import { Agent, request as send } from 'undici'
import type { HttpAnswer, HttpClient, HttpRequest } from '../../../ports/http.ts'
import { localConnector } from '../../tools/local-connector.ts'

/** A server may not switch itself off for good. */
const MAX_RETRY_AFTER_MS = 86_400_000

/** Plain HTTP by undici: no redirects, no compression, no environment proxies, bounded in time and size. */
export function createHttpClient({ now = Date.now }: { now?: () => number } = {}): HttpClient {
  return { kind: 'undici', exchange: (request, signal) => exchange(request, { now, signal }) }
}

async function exchange(
  { method, url, headers, body, timeoutMs, maxBytes, way }: HttpRequest,
  { now, signal }: { now: () => number; signal: AbortSignal | undefined },
): Promise<HttpAnswer> {
  const late = AbortSignal.timeout(timeoutMs)
  const own = way === undefined ? null : new Agent({ connect: localConnector(way), pipelining: 0 })
  try {
    const answer = await send(url, {
      method,
      headers: { 'user-agent': 'sluice', ...headers },
      ...(body === null ? {} : { body }),
      ...(own === null ? {} : { dispatcher: own }),
      signal: signal === undefined ? late : AbortSignal.any([late, signal]),
    })
    const text = await readBounded(answer.body, maxBytes)
    if (text === null) return { kind: 'too-large' }
    const retryAfterMs = retryAfterOf(answer.headers['retry-after'], now())
    return { kind: 'answered', status: answer.statusCode, body: text, retryAfterMs }
  } catch (error) {
    if (signal?.aborted === true) return { kind: 'cancelled' }
    if (late.aborted) return { kind: 'timed-out' }
    if (!(error instanceof Error)) throw error
    return { kind: 'unreachable', reason: reasonOf(error) }
  } finally {
    own?.destroy().catch(() => undefined)
  }
}

/** Leaving the loop destroys the stream: an endless answer ends here. */
async function readBounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string | null> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3). */
function retryAfterOf(value: string | string[] | undefined, now: number): number | null {
  if (typeof value !== 'string') return null
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : null
}

/** Where a name has several addresses, Node wraps one error for each in an empty one. */
const reasonOf = (error: Error): string =>
  error instanceof AggregateError && error.errors[0] instanceof Error
    ? error.errors[0].message
    : error.message || error.name
