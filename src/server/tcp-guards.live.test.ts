import { describe, expect, it } from 'vitest'
import { ask, BEARER, JSON_TYPE, login, own, post, TOKEN, useServer } from './server.test.kit.ts'

const fixture = useServer()

describe('TCP guards', () => {
  it('refuses a foreign Host header before anything else', async () => {
    const port = await fixture.startTcp()
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1:${port + 1}`,
      '127.0.0.1',
      `[::1]:${port}`,
    ]) {
      const answer = await ask({ port, path: '/livez', headers: { host } })
      expect([host, answer.status]).toEqual([host, 421])
      expect(answer.json()).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
    }
    expect((await ask({ port, path: '/livez', headers: { host: `localhost:${port}` } })).status).toBe(200)
  })

  it('refuses changes from a foreign page, even with the right cookie or token', async () => {
    const port = await fixture.startTcp()
    const cookie = await login(port)
    for (const origin of [
      'http://evil.example',
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port + 1}`,
      'null',
    ]) {
      const answer = await post(port, '/api/v1/promote', { ...JSON_TYPE, cookie, origin })
      expect([origin, answer.status]).toEqual([origin, 403])
    }
    expect(
      (await post(port, '/api/v1/promote', { ...JSON_TYPE, ...BEARER, origin: 'http://evil.example' }))
        .status,
    ).toBe(403)
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, cookie })).status).toBe(403)
    expect(fixture.calls).toEqual([])
  })

  it('refuses reads and login attempts started by another page', async () => {
    const port = await fixture.startTcp()
    const cookie = await login(port)
    const foreign = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }
    expect((await ask({ port, path: '/api/v1/events', headers: { cookie, ...foreign } })).status).toBe(403)
    expect((await ask({ port, path: '/login?token=x', headers: foreign })).status).toBe(403)
  })

  it('refuses the API without a token, with a wrong token and with a forged cookie', async () => {
    const port = await fixture.startTcp()
    const none = await post(port, '/api/v1/promote', { ...JSON_TYPE, ...own(port) })
    expect([none.status, none.json().code, none.headers['www-authenticate']]).toEqual([
      401,
      'LOGIN_REQUIRED',
      'Bearer realm="sluice"',
    ])
    const wrong = await post(port, '/api/v1/promote', { ...JSON_TYPE, authorization: 'Bearer wrong' })
    expect([wrong.status, wrong.json().code]).toEqual([401, 'LOGIN_FAILED'])
    const cookie = `sluice_${port}=99999999999999.forged`
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, ...own(port), cookie })).status).toBe(401)
    for (const path of ['/api/v1/events', '/api/v1/openapi.json', '/api/v1/nothing']) {
      expect((await ask({ port, path })).status).toBe(401)
    }
  })

  it('logs in with the token once, keeps it out of the address, and knows the page by its cookie', async () => {
    const port = await fixture.startTcp()
    const answer = await ask({ port, path: `/login?token=${TOKEN}` })
    expect([answer.status, answer.headers.location]).toEqual([303, '/'])
    const set = answer.headers['set-cookie']?.[0] ?? ''
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=']) expect(set).toContain(part)
    expect(set).not.toContain(TOKEN)
    const cookie = set.split(';')[0] ?? ''
    const called = await post(port, '/api/v1/promote', { ...JSON_TYPE, ...own(port), cookie })
    expect(called.json()).toEqual({ by: 'owner', face: 'page' })
    const byToken = await post(port, '/api/v1/promote', { ...JSON_TYPE, ...BEARER })
    expect(byToken.json()).toEqual({ by: 'owner', face: 'api' })
  })

  it('logs in by the form of the page', async () => {
    const port = await fixture.startTcp()
    const answer = await post(
      port,
      '/login',
      { ...JSON_TYPE, ...own(port) },
      JSON.stringify({ token: TOKEN }),
    )
    expect([answer.status, answer.headers['set-cookie']?.length]).toEqual([204, 1])
    const foreign = await post(
      port,
      '/login',
      { ...JSON_TYPE, origin: 'http://evil.example' },
      JSON.stringify({ token: TOKEN }),
    )
    expect(foreign.status).toBe(403)
  })

  it('ends a session after its time', async () => {
    let now = 0
    const port = await fixture.startTcp({ now: () => now })
    const cookie = await login(port)
    now = 8 * 24 * 3_600_000
    expect((await ask({ port, path: '/api/v1/openapi.json', headers: { cookie } })).status).toBe(401)
  })

  it('refuses tokens for a minute after ten wrong ones, while sessions go on', async () => {
    let now = 0
    const port = await fixture.startTcp({ now: () => now })
    const cookie = await login(port)
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expect((await ask({ port, path: '/login?token=wrong' })).status).toBe(401)
    }
    const blocked = await post(port, '/api/v1/promote', { ...JSON_TYPE, ...BEARER })
    expect([blocked.status, blocked.json().code, blocked.headers['retry-after']]).toEqual([
      429,
      'LOGIN_RATE_LIMITED',
      '60',
    ])
    expect((await ask({ port, path: `/login?token=${TOKEN}` })).status).toBe(429)
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, ...own(port), cookie })).status).toBe(200)
    now = 60_001
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, ...BEARER })).status).toBe(200)
  })

  it('sends the security headers with every answer, also with refusals', async () => {
    const port = await fixture.startTcp()
    for (const headers of [{}, { host: 'evil.example' }]) {
      const answer = await ask({ port, path: '/api/v1/openapi.json', headers })
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
      expect(answer.headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
      })
    }
  })
})
