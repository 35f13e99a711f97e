import { describe, expect, it } from 'vitest'
import { ask, BEARER, JSON_TYPE, operations, post, useServer } from './server.test.kit.ts'

const fixture = useServer()

describe('operations', () => {
  const call = (port: number, name: string, body: string, headers: Record<string, string> = JSON_TYPE) =>
    post(port, `/api/v1/${name}`, { ...BEARER, ...headers }, body)

  it('refuses forms, malformed, deep and oversized bodies', async () => {
    const port = await fixture.startTcp()
    const form = await call(port, 'promote', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })
    expect([form.status, form.json().code]).toEqual([415, 'CONTENT_TYPE_NOT_JSON'])
    const plain = await call(port, 'promote', '{}', { 'content-type': 'text/plain' })
    expect(plain.status).toBe(415)
    const broken = await call(port, 'promote', '{"a":')
    expect([broken.status, broken.json().code]).toEqual([400, 'BODY_NOT_JSON'])
    const deep = await call(port, 'promote', '['.repeat(50_000) + ']'.repeat(50_000))
    expect([deep.status, deep.json().code]).toEqual([400, 'BODY_NOT_JSON'])
    const large = await call(port, 'promote', JSON.stringify('x'.repeat(1024 * 1024)))
    expect([large.status, large.json().code]).toEqual([413, 'BODY_TOO_LARGE'])
    const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' }
    expect((await call(port, 'promote', JSON.stringify('x'.repeat(1024 * 1024)), chunked)).status).toBe(413)
    expect(fixture.calls).toEqual([])
  })

  it('names the nearest operation and the nearest key', async () => {
    const port = await fixture.startTcp()
    const unknown = await call(port, 'promot', '{}')
    expect([unknown.status, unknown.json()]).toMatchObject([
      404,
      { code: 'OPERATION_NOT_FOUND', remedy: 'Did you mean "promote"?' },
    ])
    const input = await call(port, 'promote', '{"servise":"shop"}')
    expect(input.status).toBe(400)
    expect(input.headers['content-type']).toBe('application/problem+json')
    expect(input.json()).toMatchObject({
      code: 'INPUT_INVALID',
      path: 'servise',
      cause: 'unknown key',
      remedy: 'Did you mean "service"?',
    })
    const wrongMethod = await ask({ port, path: '/api/v1/promote', headers: BEARER })
    expect([wrongMethod.status, wrongMethod.headers.allow]).toEqual([405, 'POST'])
  })

  it('takes the name of a request from its header where the operation knows such a name', async () => {
    const keyed = { ...JSON_TYPE, 'idempotency-key': 'k-1' }
    const port = await fixture.startTcp()
    await call(port, 'deploy', '{}', keyed)
    await call(port, 'deploy', '{"idempotencyKey":"k-2"}', keyed)
    expect((await call(port, 'promote', '{}', keyed)).status).toBe(200)
    expect(fixture.calls).toEqual([{ idempotencyKey: 'k-1' }, { idempotencyKey: 'k-2' }, {}])
    const tooLong = await call(port, 'deploy', '{}', { ...keyed, 'idempotency-key': 'x'.repeat(9) })
    expect(tooLong.status).toBe(400)
  })

  it('passes refusals on with their status', async () => {
    const port = await fixture.startTcp()
    const answer = await call(port, 'abort', '{}')
    expect([answer.status, answer.json().remedy]).toEqual([409, 'Deploy a version first.'])
  })

  it('answers a bug with an id, and tells the log alone what happened', async () => {
    const port = await fixture.startTcp()
    const answer = await call(port, 'explode', '{}')
    expect([answer.status, answer.json().code]).toEqual([500, 'INTERNAL'])
    expect(answer.text).not.toContain('secret detail')
    const fields = fixture.log.error.mock.calls[0]?.[1]
    expect(fields.error).toContain('a secret detail')
    expect(answer.text).toContain(fields.id)
  })

  it('gives up on an operation that never answers', async () => {
    const port = await fixture.startTcp({ limits: { operationMs: 50 } })
    const answer = await call(port, 'hang', '{}')
    expect([answer.status, answer.json().code]).toEqual([504, 'OPERATION_TIMEOUT'])
  })

  it('describes itself as OpenAPI 3.1', async () => {
    const port = await fixture.startTcp()
    const document = (await ask({ port, path: '/api/v1/openapi.json', headers: BEARER })).json()
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(Object(document.paths))).toEqual([
      ...operations.map((one) => `/api/v1/${one.name}`),
      '/api/v1/events',
    ])
  })

  it('tells watchers whether it is ready, without a token and without details', async () => {
    const port = await fixture.startTcp({
      readiness: () => ({ store: null, proxy: 'ROUTER_UNREACHABLE' }),
    })
    const ready = await ask({ port, path: '/readyz' })
    expect([ready.status, ready.json()]).toEqual([
      503,
      { ready: false, code: 'ROUTER_UNREACHABLE', checks: { store: 'ok', proxy: 'ROUTER_UNREACHABLE' } },
    ])
    expect((await ask({ port, path: '/version' })).json()).toEqual({ version: '0.1.0' })
  })
})
