import type { IncomingMessage } from 'node:http'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { NotifyFailure } from '../../../ports/notifier.ts'

const SHOWN_BODY_BYTES = 4096
const MAX_RETRY_AFTER_MS = 86_400_000
const TOO_MANY_REQUESTS = 429
const GONE = 410
/** The receiver objects to this very message; the same bytes will not please it later. */
const MESSAGE_REFUSED: readonly number[] = [400, 413, 415, 422]

/** 2xx is success. 410 and a refusal of the message itself are final; everything else is worth another attempt. */
export async function readAnswer(
  answer: IncomingMessage,
  { url, now }: { url: URL; now: number },
): Promise<Result<void, NotifyFailure>> {
  const status = answer.statusCode ?? 0
  const retryAfterMs = readRetryAfter(answer.headers['retry-after'], now)
  const body = await beginningOf(answer)
  if (status >= 200 && status < 300) return ok(undefined)
  if (status === GONE) return failed(gone(url))
  if (MESSAGE_REFUSED.includes(status)) return failed(rejected(url, { status, body, retryable: false }))
  if (status < 500 && status !== TOO_MANY_REQUESTS)
    return failed(rejected(url, { status, body, retryable: true }))
  return failed({ ...unwell(url, status, body), ...(retryAfterMs === null ? {} : { retryAfterMs }) })
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3); at most a day, so that a receiver cannot switch itself off for good. */
function readRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : null
}

async function beginningOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer) {
    chunks.push(Buffer.from(chunk))
    bytes += chunks.at(-1)?.length ?? 0
    if (bytes >= SHOWN_BODY_BYTES) break // Leaving the loop destroys the stream: an endless answer ends here.
  }
  return Buffer.concat(chunks).subarray(0, SHOWN_BODY_BYTES).toString('utf8').trim()
}

function gone(url: URL): NotifyFailure {
  return problem('NOTIFY_GONE', {
    message: `The webhook receiver ${url.host} answered 410: it does not want messages any more.`,
    remedy: 'Remove the channel from the configuration, or give it a new URL.',
  })
}

function rejected(
  url: URL,
  { status, body, retryable }: { status: number; body: string; retryable: boolean },
) {
  const redirect = status >= 300 && status < 400
  return problem('NOTIFY_REJECTED', {
    message: `The webhook receiver ${url.host} answered ${status}${redirect ? ', a redirect, which is not followed' : ''}.`,
    cause: body === '' ? undefined : body,
    remedy: redirect
      ? 'Configure the final URL.'
      : 'Check the URL and the secret of the channel against those of the receiver.',
    retryable,
  })
}

function unwell(url: URL, status: number, body: string): NotifyFailure {
  return problem('NOTIFY_UNAVAILABLE', {
    message: `The webhook receiver ${url.host} answered ${status}.`,
    cause: body === '' ? undefined : body,
    remedy: 'Check the receiver. Sluice tries again.',
    retryable: true,
  })
}
