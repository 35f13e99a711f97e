import { afterEach, describe, expect, it } from 'vitest'
import type { Alert } from '../core/shared/alert.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok } from '../core/shared/result.ts'
import { alertmanagerMissing, startAlertmanager } from '../testkit/servers/alertmanager.test.kit.ts'
import { ask, BEARER, JSON_TYPE, login, own, post, useServer } from './server.test.kit.ts'

const ALERT_TOKEN = 'alert-token-0123456789-0123456789-abcdef'
const SENDER = { authorization: `Bearer ${ALERT_TOKEN}` }
const fixture = useServer()
const ALERT = {
  status: 'firing',
  labels: { alertname: 'HighErrorRate', service: 'shop', severity: 'critical' },
  annotations: { summary: 'The shop fails' },
  startsAt: '2026-11-21T18:37:42.128Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus.example/graph',
  fingerprint: '19a1b0e1b1a9c0b5',
}
const BODY = JSON.stringify({ version: '4', alerts: [ALERT] })

function remembering() {
  const heard: Alert[] = []
  const hearAlerts = async (alerts: readonly Alert[]) => {
    heard.push(...alerts)
    return ok({ taken: alerts.length, known: 0, ignored: [] })
  }
  return { heard, hearAlerts }
}

describe('alerts', () => {
  it('are taken with the token that opens nothing else, with that of the API, on the page, and on the socket', async () => {
    const { heard, hearAlerts } = remembering()
    const port = await fixture.startTcp({ alertToken: ALERT_TOKEN, hearAlerts })
    const cookie = await login(port)
    for (const headers of [SENDER, BEARER, { cookie, ...own(port) }]) {
      const answer = await post(port, '/alerts', { ...JSON_TYPE, ...headers }, BODY)
      expect([answer.status, answer.json()]).toEqual([200, { taken: 1, known: 0, ignored: 0, because: [] }])
    }
    expect(heard).toHaveLength(3)
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, ...SENDER })).status).toBe(401)
    expect((await ask({ port, path: '/metrics', headers: SENDER })).status).toBe(401)
    expect((await ask({ port, path: `/login?token=${ALERT_TOKEN}` })).status).toBe(401)
    const socketPath = await fixture.startSocket({ hearAlerts })
    expect(
      (await ask({ socketPath, path: '/alerts', method: 'POST', headers: JSON_TYPE, body: BODY })).status,
    ).toBe(200)
  })

  it('are refused without a token, with a wrong one, under a foreign name and from a foreign page', async () => {
    const { heard, hearAlerts } = remembering()
    const port = await fixture.startTcp({ alertToken: ALERT_TOKEN, hearAlerts })
    const cookie = await login(port)
    const status = async (headers: Record<string, string>) =>
      (await post(port, '/alerts', { ...JSON_TYPE, ...headers }, BODY)).status
    expect(await status({})).toBe(403)
    expect(await status({ authorization: 'Bearer wrong' })).toBe(401)
    expect(await status({ ...SENDER, host: 'evil.example' })).toBe(421)
    expect(await status({ ...SENDER, origin: 'http://evil.example' })).toBe(403)
    expect(await status({ cookie, origin: 'http://evil.example' })).toBe(403)
    expect(heard).toEqual([])
  })

  it.each([
    ['no JSON', JSON_TYPE, '{', 400, 'BODY_NOT_JSON'],
    ['a form', { 'content-type': 'text/plain' }, BODY, 415, 'CONTENT_TYPE_NOT_JSON'],
    ['something else', JSON_TYPE, '{"hello":1}', 400, 'ALERTS_NOT_READABLE'],
    ['too much', JSON_TYPE, `"${'x'.repeat(1_100_000)}"`, 413, 'BODY_TOO_LARGE'],
    ['a deep nest', JSON_TYPE, `${'['.repeat(500)}${']'.repeat(500)}`, 400, 'BODY_NOT_JSON'],
  ])(
    'are refused when they are %s, and not sent again for it',
    async (_name, headers, body, status, code) => {
      const port = await fixture.startTcp({ alertToken: ALERT_TOKEN })
      const answer = await post(port, '/alerts', { ...headers, ...SENDER }, body)
      expect([answer.status, answer.json().code]).toEqual([status, code])
    },
  )

  it('that nothing here is concerned with are taken politely, with what was ignored, but not without end', async () => {
    const port = await fixture.startTcp({
      alertToken: ALERT_TOKEN,
      hearAlerts: async (alerts) =>
        ok({ taken: 0, known: 1, ignored: alerts.map(({ name }) => ({ name, why: 'no rollout' })) }),
    })
    const alerts = [{ status: 'odd' }, ...Array.from({ length: 1000 }, () => ALERT)]
    const answer = await post(port, '/alerts', { ...JSON_TYPE, ...SENDER }, JSON.stringify({ alerts }))
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ taken: 0, known: 1, ignored: 1001 })
    expect(answer.json().because).toHaveLength(50)
    expect(answer.text).toContain('"alert":"number 1","why":"it cannot be read')
  })

  it('that could not be kept are to be sent again', async () => {
    const gone = problem('STORE_BUSY', { message: 'The store is busy.', remedy: 'Wait.' })
    const port = await fixture.startTcp({ alertToken: ALERT_TOKEN, hearAlerts: async () => failed(gone) })
    const answer = await post(port, '/alerts', { ...JSON_TYPE, ...SENDER }, BODY)
    expect([answer.status, answer.json().code]).toEqual([503, 'STORE_BUSY'])
  })

  it('cannot be asked for', async () => {
    const port = await fixture.startTcp({ alertToken: ALERT_TOKEN })
    const answer = await ask({ port, path: '/alerts', headers: SENDER })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST'])
  })
})

describe.skipIf(alertmanagerMissing !== null)('a real Alertmanager', () => {
  const running: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const dispose of running.splice(0)) await dispose()
  })

  it('sends what fires and what ends, and sends again what could not be kept', {
    timeout: 60_000,
  }, async () => {
    const heard: Alert[] = []
    let refusals = 2
    const port = await fixture.startTcp({
      alertToken: ALERT_TOKEN,
      hearAlerts: async (alerts) => {
        refusals -= 1
        if (refusals >= 0) return failed(problem('STORE_BUSY', { message: 'Busy.', remedy: 'Wait.' }))
        heard.push(...alerts)
        return ok({ taken: alerts.length, known: 0, ignored: [] })
      },
    })
    const alertmanager = await startAlertmanager({
      url: `http://127.0.0.1:${port}/alerts`,
      token: ALERT_TOKEN,
    })
    running.push(alertmanager.dispose)
    const startsAt = new Date().toISOString()
    const alert = {
      labels: ALERT.labels,
      annotations: ALERT.annotations,
      startsAt,
      generatorURL: ALERT.generatorURL,
    }
    await alertmanager.tell([alert])
    await expect.poll(() => heard.length, { timeout: 30_000 }).toBeGreaterThan(0)
    expect(refusals).toBeLessThan(0)
    expect(heard[0]).toMatchObject({
      name: 'HighErrorRate',
      status: 'firing',
      labels: ALERT.labels,
      summary: 'The shop fails',
      startsAt: Date.parse(startsAt),
    })
    await alertmanager.tell([{ ...alert, endsAt: new Date().toISOString() }])
    await expect.poll(() => heard.at(-1)?.status, { timeout: 30_000 }).toBe('resolved')
    expect(heard.at(-1)).toMatchObject({ fingerprint: heard[0]?.fingerprint, startsAt: Date.parse(startsAt) })
  })
})
