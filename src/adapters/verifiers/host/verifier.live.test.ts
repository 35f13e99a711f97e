import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JourneyStep, VerifyCheck } from '../../../core/shared/verification.ts'
import { verifierConformance } from '../../../testkit/conformance/verifier.ts'
import { createHttpClient } from '../../http/undici/http.ts'
import { createHostVerifier } from './verifier.ts'

const secretOf = (name: string) => (name === 'TOKEN' ? 'very-secret-value' : null)

const stepOf = (
  change: Partial<Omit<JourneyStep, 'expect'>> & { expect?: Partial<JourneyStep['expect']> },
): JourneyStep => ({
  method: 'GET',
  path: '/',
  headers: {},
  body: null,
  capture: {},
  ...change,
  expect: { status: null, contains: [], json: [], withinMs: null, ...change.expect },
})
const journey = (steps: JourneyStep[], timeoutMs = 10_000): VerifyCheck => ({
  kind: 'journey',
  name: 'journey',
  moments: ['before'],
  timeoutMs,
  steps,
})
const command = (words: string[], timeoutMs = 10_000, secrets: string[] = []): VerifyCheck => ({
  kind: 'command',
  name: 'command',
  moments: ['before'],
  timeoutMs,
  command: words,
  secrets,
})
const node = (text: string, timeoutMs?: number, secrets?: string[]): VerifyCheck =>
  command([process.execPath, '-e', text], timeoutMs, secrets)

async function startShop(): Promise<{ url: string; server: Server; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const { authorization = '', 'sluice-probe': probe = '' } = request.headers
      asked.push(`${request.method} ${request.url} ${probe} ${authorization} ${body}`.trim())
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const at = server.address()
  return { url: typeof at === 'object' && at !== null ? `http://127.0.0.1:${at.port}` : '', server, asked }
}

function answer({ url }: IncomingMessage, response: ServerResponse): void {
  if (url === '/never') return
  if (url === '/login') response.end('{"token":"t/1 ü","user":{"id":7}}')
  else if (url?.startsWith('/cart')) response.writeHead(201).end('{"items":["a","b"],"total":12.5}')
  else if (url === '/moved') response.writeHead(302, { location: '/' }).end()
  else if (url === '/broken') response.writeHead(500).end('no database')
  else response.end('hello')
}

let folder = ''
let shop: Awaited<ReturnType<typeof startShop>>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-verify-'))
  shop = await startShop()
})
afterAll(() => {
  shop.server.closeAllConnections()
  shop.server.close()
  rmSync(folder, { recursive: true, force: true })
})
const verifier = () => createHostVerifier({ http: createHttpClient(), secretOf, cwd: folder })

verifierConformance('host, with requests', async () => ({
  verifier: verifier(),
  url: shop.url,
  checks: {
    passing: { ...journey([stepOf({})]), name: 'good' },
    failing: { ...journey([stepOf({ path: '/broken' })]), name: 'bad' },
    lasting: { ...journey([stepOf({ path: '/never' })], 60_000), name: 'long' },
  },
  dispose: async () => undefined,
}))
verifierConformance('host, with programs', async () => ({
  verifier: verifier(),
  url: shop.url,
  checks: {
    passing: { ...node(''), name: 'good' },
    failing: { ...node('process.exit(3)'), name: 'bad' },
    lasting: { ...node('setTimeout(() => {}, 60_000)', 60_000), name: 'long' },
  },
  dispose: async () => undefined,
}))

async function found(check: VerifyCheck) {
  const request = {
    ...{ checks: [check], url: shop.url, moment: 'before' as const },
    ...{ service: 'shop', environment: 'local', version: '1.1.0', release: '1.1.0-r' },
    probeKey: 'probe-key',
  }
  const { results } = await verifier().verify(request, new AbortController().signal)
  return results[0]
}

describe('a journey', () => {
  it('carries what it captured into later paths, headers and bodies, and cannot break out of them', async () => {
    const check = journey([
      stepOf({ method: 'POST', path: '/login', capture: { token: '$.token', id: '$.user.id' } }),
      stepOf({
        method: 'PUT',
        path: '/cart/{{id}}?t={{token}}',
        headers: { authorization: 'Bearer {{id}}' },
        body: '{"t":"{{token}}"}',
        expect: {
          status: 201,
          json: [
            { path: '$.items[0]', equals: 'a' },
            { path: '$.total', equals: 12.5 },
          ],
        },
      }),
    ])
    expect(await found(check)).toMatchObject({ passed: true, text: '2 requests were answered as expected' })
    expect(shop.asked.at(-1)).toBe('PUT /cart/7?t=t%2F1%20%C3%BC probe-key Bearer 7 {"t":"t/1 ü"}')
  })

  it.each([
    [{ path: '/broken' }, 'GET /broken answered 500, expected a 2xx: "no database"'],
    [{ path: '/moved' }, 'GET /moved answered 302, expected a 2xx: ""'],
    [{ path: '/', expect: { status: 404 } }, 'GET / answered 200, expected 404: "hello"'],
    [{ expect: { contains: ['hell', 'bye'] } }, 'GET / answered without "bye": "hello"'],
    [{ expect: { json: [{ path: '$.a', equals: 1 }] } }, 'GET / answered what is no JSON: "hello"'],
    [
      { path: '/cart', expect: { json: [{ path: '$.total', equals: '12.5' }] } },
      'GET /cart answered 12.5 at $.total, expected "12.5"',
    ],
    [
      { path: '/cart', expect: { json: [{ path: '$.items[*]', equals: 'a' }] } },
      'GET /cart answered 2 values at $.items[*], expected one: "a"',
    ],
    [
      { path: '/cart', expect: { json: [{ path: '$.none', equals: 1 }] } },
      'GET /cart answered nothing at $.none, expected 1: "{"items":["a","b"],"total":12.5}"',
    ],
    [{ path: '/cart', capture: { x: '$.none' } }, 'GET /cart has nothing at $.none to be kept as x'],
    [{ path: '/cart', expect: { json: [{ path: '$.[', equals: 1 }] } }, 'the path $.[ is wrong'],
  ])('that meets %j says what came and what was expected', async (change, text) => {
    const finding = await found(journey([stepOf(change), stepOf({ path: '/not-asked' })]))
    expect(finding?.passed).toBe(false)
    expect(finding?.text).toContain(text)
    expect(shop.asked.at(-1)).not.toContain('/not-asked')
  })

  it('ends at its own limit, and says so', async () => {
    const finding = await found(journey([stepOf({ path: '/never' })], 200))
    expect(finding?.text).toMatch(/^GET \/never was not answered within/)
  })

  it('says when nobody listens', async () => {
    const request = {
      ...{ checks: [journey([stepOf({})])], url: 'http://127.0.0.1:1', moment: 'before' as const },
      ...{ service: 'shop', environment: 'local', version: '1.1.0', release: '1.1.0-r' },
      probeKey: null,
    }
    const { results } = await verifier().verify(request, new AbortController().signal)
    expect(results[0]?.text).toMatch(/^GET \/ was not answered: .*ECONNREFUSED/)
  })
})

describe('a program', () => {
  it('learns what it verifies and where, and nothing else of the controller', async () => {
    const check = node(
      'const { SLUICE_URL, SLUICE_VERSION, SLUICE_MOMENT, SLUICE_PROBE, TOKEN, VITEST } = process.env;' +
        'console.log(SLUICE_URL, SLUICE_VERSION, SLUICE_MOMENT, SLUICE_PROBE, TOKEN, VITEST); process.exit(1)',
      10_000,
      ['TOKEN'],
    )
    const finding = await found(check)
    expect(finding?.text).toContain(`${shop.url} 1.1.0 before probe-key`)
    expect(finding?.text).toContain('undefined')
    expect(finding?.text).not.toContain('very-secret-value')
  })

  it('that fails says how it ended and its last words', async () => {
    expect((await found(node('console.error("no way"); process.exit(4)')))?.text).toMatch(
      /ended with code 4: no way$/,
    )
    expect(
      (await found(node('process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 9999)')))?.text,
    ).toContain('was ended by SIGTERM')
    expect((await found(command(['./is-not-there'])))?.text).toContain('could not be started')
  })

  it('that never ends is killed at its limit, with its children', async () => {
    const finding = await found(node('console.log("still here"); setInterval(() => {}, 1000)', 3_000))
    expect(finding).toMatchObject({
      passed: false,
      text: expect.stringContaining('did not end within 3s'),
    })
    expect(finding?.text).toContain('still here')
  })

  it('is not started without its secret', async () => {
    expect((await found(node('', 1000, ['NOBODY_SET_IT'])))?.text).toContain(
      'the secret NOBODY_SET_IT is not set',
    )
  })

  it('may write far more than anybody reads', async () => {
    expect(await found(node('process.stdout.write("x".repeat(5_000_000))'))).toMatchObject({ passed: true })
  })
})
