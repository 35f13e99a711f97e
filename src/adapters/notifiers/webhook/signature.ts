import { createHmac } from 'node:crypto'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'

const PREFIX = 'whsec_'
/** Bounds of Standard Webhooks 1.0. */
const KEY_BYTES = { least: 24, most: 64 } as const

/** Reads `whsec_` + base64. The secret itself never appears in the problem. */
export function readSecret(secret: string): Result<Buffer> {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : ''
  const key = Buffer.from(text, 'base64')
  const clean = /^[A-Za-z0-9+/]+={0,2}$/.test(text)
  if (clean && key.length >= KEY_BYTES.least && key.length <= KEY_BYTES.most) return ok(key)
  return failed(
    problem('NOTIFY_SECRET_INVALID', {
      message: `The webhook secret must be "${PREFIX}" followed by ${KEY_BYTES.least} to ${KEY_BYTES.most} bytes in base64.`,
      remedy: `Make one with: echo "${PREFIX}$(openssl rand -base64 32)"`,
    }),
  )
}

/**
 * The headers of Standard Webhooks 1.0 (https://www.standardwebhooks.com): the signature covers id, time and body.
 *
 * @example signedHeaders(key, { id: 'rollout-1:promoted', timestampS: 1700000000, body: '{}' })
 */
export function signedHeaders(
  key: Buffer,
  of: { id: string; timestampS: number; body: string },
): Record<string, string> {
  const signature = createHmac('sha256', key).update(`${of.id}.${of.timestampS}.${of.body}`).digest('base64')
  return {
    'webhook-id': of.id,
    'webhook-timestamp': `${of.timestampS}`,
    'webhook-signature': `v1,${signature}`,
  }
}
