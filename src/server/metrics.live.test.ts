import { describe, expect, it } from 'vitest'
import { problem } from '../core/shared/problem.ts'
import { failed } from '../core/shared/result.ts'
import { ask, BEARER, JSON_TYPE, login, post, useServer } from './server.test.kit.ts'

const SCRAPE_TOKEN = 'scrape-token-0123456789-0123456789-abcdef'
const SCRAPER = { authorization: `Bearer ${SCRAPE_TOKEN}` }
const fixture = useServer()

describe('the numbers', () => {
  it('of each process have a path of their own, open on the socket', async () => {
    const socketPath = await fixture.startSocket()
    for (const [path, process] of [
      ['/metrics', 'controller'],
      ['/metrics/proxy', 'proxy'],
      ['/metrics/agent', 'agent'],
    ] as const) {
      const answer = await ask({ socketPath, path })
      expect([answer.status, answer.text]).toEqual([200, `of_the_${process} 1\n`])
      expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4')
    }
  })

  it('need a token on TCP: that of the API, the login of the page, or one that opens nothing else', async () => {
    const port = await fixture.startTcp({ scrapeToken: SCRAPE_TOKEN })
    const cookie = await login(port)
    const status = async (path: string, headers: Record<string, string>) =>
      (await ask({ port, path, headers })).status
    for (const path of ['/metrics', '/metrics/proxy', '/metrics/agent']) {
      expect(await status(path, {})).toBe(401)
      expect(await status(path, { authorization: 'Bearer wrong' })).toBe(401)
      for (const headers of [BEARER, SCRAPER, { cookie }]) expect(await status(path, headers)).toBe(200)
      expect(await status(path, { ...SCRAPER, host: 'evil.example' })).toBe(421)
      expect(await status(path, { cookie, 'sec-fetch-site': 'same-site' })).toBe(403)
    }
    expect(await status('/api/v1/openapi.json', SCRAPER)).toBe(401)
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, ...SCRAPER })).status).toBe(401)
    expect(await status(`/login?token=${SCRAPE_TOKEN}`, {})).toBe(401)
    expect(fixture.calls).toEqual([])
  })

  it('of a part that does not answer are a problem with its code', async () => {
    const gone = problem('METRICS_UNAVAILABLE', { message: 'The proxy gives no numbers.', remedy: 'Wait.' })
    const socketPath = await fixture.startSocket({ scrape: async () => failed(gone) })
    const answer = await ask({ socketPath, path: '/metrics/proxy' })
    expect([answer.status, answer.json().code]).toEqual([503, 'METRICS_UNAVAILABLE'])
  })
})

describe('health', () => {
  it('is told without a token, but only under our own name', async () => {
    const port = await fixture.startTcp()
    for (const path of ['/healthz', '/livez']) {
      expect((await ask({ port, path })).json()).toEqual({ live: true })
      expect((await ask({ port, path, headers: { host: 'evil.example' } })).status).toBe(421)
    }
  })

  it('names each part that the controller needs, and can be asked for one', async () => {
    const port = await fixture.startTcp({ readiness: () => ({ store: null, agent: 'NOT_HEARD_OF' }) })
    const all = await ask({ port, path: '/readyz' })
    expect([all.status, all.json()]).toEqual([
      503,
      { ready: false, code: 'NOT_HEARD_OF', checks: { store: 'ok', agent: 'NOT_HEARD_OF' } },
    ])
    expect((await ask({ port, path: '/readyz/store' })).status).toBe(200)
    expect((await ask({ port, path: '/readyz/agent' })).status).toBe(503)
    expect((await ask({ port, path: '/readyz/constructor' })).status).toBe(404)
  })

  it('is ready when every part is', async () => {
    const port = await fixture.startTcp()
    const answer = await ask({ port, path: '/readyz' })
    expect([answer.status, answer.json()]).toEqual([
      200,
      { ready: true, checks: { store: 'ok', proxy: 'ok' } },
    ])
  })
})
