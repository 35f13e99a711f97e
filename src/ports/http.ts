/** One request whose answer is small. */
export type HttpRequest = {
  method: 'GET' | 'POST'
  url: string
  headers: Readonly<Record<string, string>>
  body: string | null
  /** From the start of connecting to the last byte. */
  timeoutMs: number
  /** The answer is not read beyond this. */
  maxBytes: number
}

export type HttpAnswer =
  /** Any status, redirects too. `retryAfterMs` is what `Retry-After` says. */
  | { kind: 'answered'; status: number; body: string; retryAfterMs: number | null }
  | { kind: 'too-large' }
  | { kind: 'timed-out' }
  | { kind: 'cancelled' }
  | { kind: 'unreachable'; reason: string }

/** Makes requests to addresses of the configuration. Never follows a redirect: credentials go to the named place only. */
export interface HttpClient {
  readonly kind: string
  exchange(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer>
}
