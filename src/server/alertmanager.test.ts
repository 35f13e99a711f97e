import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Alert } from '../core/shared/alert.ts'
import { anyJson, damaged } from '../testkit/damage.test.kit.ts'
import { readAlertmanager } from './alertmanager.ts'

/** The message of the documentation (webhook_config), with values as version 0.25 sends them. */
const MESSAGE = {
  receiver: 'sluice',
  status: 'firing',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'HighErrorRate', service: 'shop', severity: 'critical', instance: 'a:1' },
      annotations: { summary: 'The shop fails', description: 'More than 5% of the requests' },
      startsAt: '2026-11-21T18:37:42.128Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example/graph?g0.expr=up',
      fingerprint: '19a1b0e1b1a9c0b5',
    },
  ],
  groupLabels: { alertname: 'HighErrorRate' },
  commonLabels: { alertname: 'HighErrorRate' },
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example',
  version: '4',
  groupKey: '{}:{alertname="HighErrorRate"}',
  truncatedAlerts: 0,
}
const [ALERT] = MESSAGE.alerts
const withAlert = (change: object) => ({ ...MESSAGE, alerts: [{ ...ALERT, ...change }] })
function read(body: unknown) {
  const found = readAlertmanager(body)
  if (found.kind === 'failed') throw new Error(found.problem.message)
  return found.value
}

describe('a message of Alertmanager', () => {
  it('gives each alert with its labels, summary and link', () => {
    expect(read(MESSAGE)).toEqual({
      alerts: [
        {
          fingerprint: '19a1b0e1b1a9c0b5',
          status: 'firing',
          name: 'HighErrorRate',
          labels: ALERT?.labels,
          summary: 'The shop fails',
          link: 'http://prometheus.example/graph?g0.expr=up',
          startsAt: Date.parse('2026-11-21T18:37:42.128Z'),
        },
      ],
      unreadable: [],
    })
  })

  it.each([
    [
      'a time with an offset',
      { startsAt: '2026-11-21T19:37:42.128+01:00' },
      { startsAt: Date.parse('2026-11-21T18:37:42.128Z') },
    ],
    [
      'nanoseconds',
      { startsAt: '2026-11-21T18:37:42.128123456Z' },
      { startsAt: Date.parse('2026-11-21T18:37:42.128Z') },
    ],
    ['no summary', { annotations: { description: 'more' } }, { summary: 'more' }],
    ['no annotations', { annotations: undefined }, { summary: '' }],
    ['a link that is none', { generatorURL: 'javascript:alert(1)' }, { link: null }],
    ['an empty link', { generatorURL: '' }, { link: null }],
    ['no name', { labels: { service: 'shop' } }, { name: '19a1b0e1b1a9c0b5' }],
    ['control characters', { annotations: { summary: 'a\u001b[31mb\nc' } }, { summary: 'a [31mb c' }],
  ])('may have %s', (_name, change, expected) => {
    expect(read(withAlert(change)).alerts[0]).toMatchObject(expected)
  })

  it('is cut to what a journal can hold, and what decides is kept', () => {
    const many = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`l${index}`, 'x'.repeat(1000)]),
    )
    const labels = { ...many, severity: 'critical', service: 'shop' }
    const [alert] = read(withAlert({ labels, annotations: { summary: 'y'.repeat(10_000) } })).alerts
    expect(alert?.labels).toMatchObject({ severity: 'critical', service: 'shop' })
    expect(JSON.stringify(alert).length).toBeLessThan(12_000)
  })

  it.each([
    ['no fingerprint', { fingerprint: undefined }],
    ['an endless fingerprint', { fingerprint: 'f'.repeat(65) }],
    ['another status', { status: 'pending' }],
    ['no time', { startsAt: 'yesterday' }],
    ['labels that are none', { labels: { service: 7 } }],
  ])('loses an alert that has %s, and no other', (_name, change) => {
    const { alerts, unreadable } = read({ alerts: [{ ...ALERT, ...change }, ALERT] })
    expect(alerts).toHaveLength(1)
    expect(unreadable).toEqual([{ index: 0, why: expect.stringContaining('cannot be read') }])
  })

  it.each([[null], [[]], ['text'], [{}], [{ alerts: 'many' }]])('is refused as %j', (body) => {
    expect(readAlertmanager(body)).toMatchObject({ kind: 'failed', problem: { code: 'ALERTS_NOT_READABLE' } })
  })

  it('that is damaged in any way is read as far as it is sound, or refused', () => {
    const property = fc.property(fc.oneof(anyJson, damaged(MESSAGE)), (body) => {
      const found = readAlertmanager(body)
      if (found.kind === 'ok')
        for (const alert of found.value.alerts) expect(Alert.parse(alert)).toEqual(alert)
      else expect(found.problem.code).toBe('ALERTS_NOT_READABLE')
    })
    fc.assert(property, { numRuns: 500, seed: 11 })
  })
})
