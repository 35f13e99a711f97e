import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { notifierConformance } from '../../../testkit/conformance/notifier.ts'
import { createWebhookNotifier, type WebhookOptions } from './webhook.ts'

const KEY = Buffer.from('a key of at least twenty-four bytes')
const SECRET = `whsec_${KEY.toString('base64')}`
const MESSAGE = {
  type: 'rollout.rolled_back',
  timestamp: '2026-01-02T03:04:05.000Z',
  severity: 'error' as const,
  summary: 'Back on 1.3.',
  data: { service: 'shop' },
}
const Body = z.object({
  type: z.string(),
  timestamp: z.string(),
  data: z.looseObject({ summary: z.string(), severity: z.enum(['info', 'warning', 'error', 'critical']) }),
})

notifierConformance('webhook', async () => {
  const receiver = await startReceiver()
  return {
    notifier: notifierTo(receiver.url),
    arrived: async () =>
      receiver.requests.map(({ headers, body }) => ({
        key: `${headers['webhook-id']}`,
        fields: fieldsOf(body),
      })),
    breakReceiver: async (broken) => {
      receiver.answer = (response) => response.writeHead(broken ? 503 : 204).end()
    },
    dispose: receiver.stop,
  }
})

describe('webhook notifier', () => {
  let receiver: Receiver
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(async () => receiver.stop())

  it('signs id, time and body as Standard Webhooks 1.0 says', async () => {
    await notifierTo(receiver.url, { clock: { now: () => 1_700_000_000_999 } }).send(
      MESSAGE,
      'r-1:rolled_back',
    )
    const [request] = receiver.requests
    const signed = `r-1:rolled_back.1700000000.${request?.body}`
    const expected = createHmac('sha256', KEY).update(signed).digest('base64')
    expect(request?.headers).toMatchObject({
      'webhook-id': 'r-1:rolled_back',
      'webhook-timestamp': '1700000000',
      'webhook-signature': `v1,${expected}`,
      'content-type': 'application/json',
    })
    expect(JSON.parse(`${request?.body}`)).toEqual({
      type: MESSAGE.type,
      timestamp: MESSAGE.timestamp,
      data: { service: 'shop', severity: 'error', summary: 'Back on 1.3.' },
    })
  })

  it.each([
    [200, null],
    [204, null],
    [410, { code: 'NOTIFY_GONE', retryable: false }],
    [400, { code: 'NOTIFY_REJECTED', retryable: false }],
    [401, { code: 'NOTIFY_REJECTED', retryable: true }],
    [404, { code: 'NOTIFY_REJECTED', retryable: true }],
    [429, { code: 'NOTIFY_UNAVAILABLE', retryable: true, retryAfterMs: 120_000 }],
    [500, { code: 'NOTIFY_UNAVAILABLE', retryable: true }],
    [503, { code: 'NOTIFY_UNAVAILABLE', retryable: true, retryAfterMs: 120_000 }],
  ])('takes status %i for what it is', async (status, problem) => {
    receiver.answer = (response) =>
      response.writeHead(status, { 'retry-after': '120' }).end(status === 204 ? undefined : 'why')
    const result = await notifierTo(receiver.url).send(MESSAGE, 'k')
    if (problem === null) expect(result.kind).toBe('ok')
    else expect(result).toMatchObject({ kind: 'failed', problem })
  })

  it('reads Retry-After as a date too, and at most a day', async () => {
    const now = Date.UTC(2026, 0, 1)
    const notifier = notifierTo(receiver.url, { clock: { now: () => now } })
    receiver.answer = (response) =>
      response.writeHead(503, { 'retry-after': new Date(now + 30_000).toUTCString() }).end()
    expect(await notifier.send(MESSAGE, 'k')).toMatchObject({ problem: { retryAfterMs: 30_000 } })
    receiver.answer = (response) => response.writeHead(503, { 'retry-after': '99999999' }).end()
    expect(await notifier.send(MESSAGE, 'k')).toMatchObject({ problem: { retryAfterMs: 86_400_000 } })
  })

  it('does not follow a redirect', async () => {
    receiver.answer = (response) => response.writeHead(307, { location: `${receiver.url}/elsewhere` }).end()
    const result = await notifierTo(receiver.url).send(MESSAGE, 'k')
    expect(result).toMatchObject({
      problem: { code: 'NOTIFY_REJECTED', message: expect.stringContaining('not followed') },
    })
    expect(receiver.requests).toHaveLength(1)
  })

  it('gives up on a receiver that never answers, and on one that never stops', async () => {
    receiver.answer = () => {}
    expect(await notifierTo(receiver.url, { timeoutMs: 200 }).send(MESSAGE, 'k')).toMatchObject({
      problem: { code: 'NOTIFY_TIMEOUT', retryable: true },
    })
    receiver.answer = (response) => {
      response.writeHead(500)
      const pump = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) {}
      }
      response.on('drain', pump)
      pump()
    }
    const result = await notifierTo(receiver.url).send(MESSAGE, 'k')
    expect(result).toMatchObject({ problem: { code: 'NOTIFY_UNAVAILABLE' } })
  })

  it('says which host cannot be reached and keeps the path to itself', async () => {
    await receiver.stop()
    const result = await notifierTo(`${receiver.url}/secret-path`).send(MESSAGE, 'k')
    expect(result).toMatchObject({ problem: { code: 'NOTIFY_UNREACHABLE', retryable: true } })
    expect(JSON.stringify(result)).toContain(new URL(receiver.url).host)
    expect(JSON.stringify(result)).not.toContain('secret-path')
  })

  it('reaches a receiver by name as well', async () => {
    const url = receiver.url.replace('127.0.0.1', 'localhost')
    expect(await notifierTo(url).send(MESSAGE, 'k')).toMatchObject({ kind: 'ok' })
  })
})

type Receiver = {
  url: string
  requests: { headers: IncomingHttpHeaders; body: string }[]
  answer: (response: ServerResponse) => void
  stop(): Promise<void>
}

async function startReceiver(): Promise<Receiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      receiver.answer(response)
      if (response.statusCode < 300)
        receiver.requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      else receiver.requests.push({ headers: request.headers, body: '' })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    answer: (response) => response.writeHead(204).end(),
    stop,
  }
  return receiver
}

function notifierTo(url: string, more: Partial<WebhookOptions> = {}) {
  const made = createWebhookNotifier({ url, secret: SECRET, ...more })
  if (made.kind === 'ok') return made.value
  throw new Error(made.problem.message)
}

function fieldsOf(body: string) {
  const { type, timestamp, data } = Body.parse(JSON.parse(body))
  const { summary, severity, ...rest } = data
  return { type, timestamp, summary, severity, data: rest }
}
