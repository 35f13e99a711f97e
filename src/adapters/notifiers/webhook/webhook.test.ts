import { describe, expect, it } from 'vitest'
import { guardedLookup, isPrivateAddress, PrivateAddressError } from './address-guard.ts'
import { createWebhookNotifier } from './webhook.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

describe('where a webhook may go', () => {
  it.each([
    'https://example.com/hook',
    'http://127.0.0.1:9999/hook',
    'http://[::1]:9999/hook',
    'http://localhost:9999',
    'https://93.184.216.34/hook',
  ])('accepts %s', (url) => {
    expect(createWebhookNotifier({ url, secret: SECRET })).toMatchObject({ kind: 'ok' })
  })

  it.each([
    ['not a url', 'NOTIFY_URL_INVALID'],
    ['ftp://example.com/', 'NOTIFY_URL_INVALID'],
    ['file:///etc/passwd', 'NOTIFY_URL_INVALID'],
    ['https://user:hunter2@example.com/', 'NOTIFY_URL_INVALID'],
    ['http://10.1.2.3/', 'NOTIFY_ADDRESS_PRIVATE'],
    ['http://192.168.0.1/', 'NOTIFY_ADDRESS_PRIVATE'],
    ['http://169.254.169.254/latest/meta-data', 'NOTIFY_ADDRESS_PRIVATE'],
    ['http://3232235521/', 'NOTIFY_ADDRESS_PRIVATE'],
    ['http://0x0a000001/', 'NOTIFY_ADDRESS_PRIVATE'],
    ['http://0.0.0.0/', 'NOTIFY_ADDRESS_PRIVATE'],
    ['http://[::ffff:10.0.0.1]/', 'NOTIFY_ADDRESS_PRIVATE'],
    ['http://[64:ff9b::a00:1]/', 'NOTIFY_ADDRESS_PRIVATE'],
    ['http://[fd00::1]/', 'NOTIFY_ADDRESS_PRIVATE'],
    ['http://[fe80::1]/', 'NOTIFY_ADDRESS_PRIVATE'],
  ])('refuses %s with %s and shows no credentials', (url, code) => {
    const result = createWebhookNotifier({ url, secret: SECRET })
    expect(result).toMatchObject({ kind: 'failed', problem: { code } })
    expect(JSON.stringify(result)).not.toContain('hunter2')
  })

  it('accepts a private address when the configuration says so', () => {
    expect(
      createWebhookNotifier({ url: 'http://10.1.2.3/', secret: SECRET, allowPrivate: true }),
    ).toMatchObject({ kind: 'ok' })
  })

  it('takes loopback for allowed and link-local for private', () => {
    expect(isPrivateAddress('127.0.0.53')).toBe(false)
    expect(isPrivateAddress('::1')).toBe(false)
    expect(isPrivateAddress('169.254.169.254')).toBe(true)
  })

  it('checks a name at the moment it is resolved', async () => {
    const error = await new Promise((resolve) => guardedLookup(false)('0.0.0.0', {}, resolve))
    expect(error).toBeInstanceOf(PrivateAddressError)
    const allowed = await new Promise((resolve) =>
      guardedLookup(true)('0.0.0.0', {}, (_, address) => resolve(address)),
    )
    expect(allowed).toBe('0.0.0.0')
  })
})

describe('the secret of a webhook', () => {
  it.each([
    '',
    'plain',
    'whsec_',
    'whsec_c2hvcnQ=',
    'whsec_not base64 at all, no!',
    `whsec_${Buffer.alloc(65).toString('base64')}`,
  ])('refuses %j without repeating it', (secret) => {
    const result = createWebhookNotifier({ url: 'https://example.com', secret })
    expect(result).toMatchObject({ kind: 'failed', problem: { code: 'NOTIFY_SECRET_INVALID' } })
    if (secret.length > 8) expect(JSON.stringify(result)).not.toContain(secret)
  })
})
