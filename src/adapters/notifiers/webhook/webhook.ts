import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { NotificationMessage, Notifier, NotifyFailure } from '../../../ports/notifier.ts'
import { guardedLookup, PrivateAddressError, privateAddress, readUrl } from './address-guard.ts'
import { readAnswer } from './answer.ts'
import { readSecret, signedHeaders } from './signature.ts'

/** From the start of connecting to the end of the answer. */
const TIMEOUT_MS = 10_000

export type WebhookOptions = {
  url: string
  /** `whsec_` + base64. */
  secret: string
  /** Lets the receiver have a private address. Loopback is always allowed. */
  allowPrivate?: boolean
  clock?: Pick<Clock, 'now'>
  timeoutMs?: number
}

/**
 * Posts messages as Standard Webhooks 1.0. Redirects are not followed: a signed message goes to the configured place only.
 *
 * @example createWebhookNotifier({ url: 'https://example.com/hooks', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })
 */
export function createWebhookNotifier(options: WebhookOptions): Result<Notifier> {
  const { allowPrivate = false, clock = Date, timeoutMs = TIMEOUT_MS } = options
  const url = readUrl(options.url, allowPrivate)
  if (url.kind === 'failed') return url
  const secret = readSecret(options.secret)
  if (secret.kind === 'failed') return secret
  const send = (message: NotificationMessage, key: string) => {
    const body = bodyOf(message)
    const now = clock.now()
    const headers = signedHeaders(secret.value, {
      id: idOf(key),
      timestampS: Math.floor(now / 1000),
      body,
    })
    return post({ url: url.value, body, headers, allowPrivate, timeoutMs, now })
  }
  return ok({ kind: 'webhook', send })
}

const bodyOf = ({ type, timestamp, severity, summary, data }: NotificationMessage): string =>
  JSON.stringify({ type, timestamp, data: { ...data, severity, summary } })

/** A header holds visible ASCII only; anything else is escaped, the same way each time. */
const idOf = (key: string): string => (/^[\x21-\x7e]+$/.test(key) ? key : encodeURIComponent(key))

type Post = {
  url: URL
  body: string
  headers: Record<string, string>
  allowPrivate: boolean
  timeoutMs: number
  now: number
}

async function post({
  url,
  body,
  headers,
  allowPrivate,
  timeoutMs,
  now,
}: Post): Promise<Result<void, NotifyFailure>> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const open = url.protocol === 'https:' ? httpsRequest : httpRequest
      const lookup = guardedLookup(allowPrivate)
      const request = open(url, {
        method: 'POST',
        signal,
        lookup,
        agent: false,
        headers: { ...headers, ...contentOf(body) },
      })
      request.on('response', resolve)
      request.on('error', reject)
      request.end(body)
    })
    return await readAnswer(answer, { url, now })
  } catch (error) {
    if (signal.aborted) return failed(timedOut(url, timeoutMs))
    return failed(unreachable(url, error))
  }
}

const contentOf = (body: string): Record<string, string | number> => ({
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(body),
  'user-agent': 'sluice',
})

/** The path and query of a webhook are often a secret, so messages show the host only. */
function timedOut(url: URL, timeoutMs: number): NotifyFailure {
  return problem('NOTIFY_TIMEOUT', {
    message: `The webhook receiver ${url.host} did not answer within ${timeoutMs / 1000} s.`,
    remedy: 'Check the receiver. It should answer at once and do its work afterwards. Sluice tries again.',
    retryable: true,
  })
}

function unreachable(url: URL, error: unknown): NotifyFailure {
  if (error instanceof PrivateAddressError) return privateAddress(url.host, error.address)
  if (!(error instanceof Error)) throw error
  return problem('NOTIFY_UNREACHABLE', {
    message: `The webhook receiver ${url.host} could not be reached: ${error.message || error.name}.`,
    remedy: 'Check the address and that the receiver runs. Sluice tries again.',
    retryable: true,
  })
}
