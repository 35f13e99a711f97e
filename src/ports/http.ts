import type { LocalWay } from '../core/shared/local-url.ts'

/** One request whose answer is small. */
export type HttpRequest = {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: string
  headers: Readonly<Record<string, string>>
  body: string | null
  /** From the start of connecting to the last byte. */
  timeoutMs: number
  /** The answer is not read beyond this. */
  maxBytes: number
  /** To our own data plane under the name of a service; no name server is asked. */
  way?: LocalWay | undefined
}

/** Any status, redirects too. `retryAfterMs` is what `Retry-After` says. */
export type HttpAnswered = { kind: 'answered'; status: number; body: string; retryAfterMs: number | null }
export type HttpTrouble =
  | { kind: 'too-large' }
  | { kind: 'timed-out' }
  | { kind: 'cancelled' }
  | { kind: 'unreachable'; reason: string }

export type HttpAnswer = HttpAnswered | HttpTrouble

/** Makes requests to addresses of the configuration. Never follows a redirect: credentials go to the named place only. */
export interface HttpClient {
  readonly kind: string
  exchange(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer>
}
