import { describe, expect, it } from 'vitest'
import { ServiceCounters, Tally } from './counters.ts'
import { ServiceCounts } from './traffic-counts.ts'

describe('counters', () => {
  it('report in the shape of the contract', () => {
    const counters = new ServiceCounters()
    const tally = new Tally(counters.release('a'), 'GET /cart')
    tally.answered(200)
    tally.took(7)
    tally.answered(503)
    const report = ServiceCounts.parse(counters.report('shop', 'boot'))
    expect(report.releases[0]?.total).toMatchObject({
      requests: 2,
      errors: 1,
      status: { '2xx': 1, '5xx': 1 },
    })
    expect(report.releases[0]?.routes['GET /cart']?.requests).toBe(2)
  })

  it('keep at most 64 route classes, the rest under other', () => {
    const counters = new ServiceCounters()
    for (let at = 0; at < 100; at += 1) new Tally(counters.release('a'), `GET /r${at}`).answered(200)
    const routes = counters.report('shop', 'boot').releases[0]?.routes ?? {}
    expect(Object.keys(routes)).toHaveLength(65)
    expect(routes.other?.requests).toBe(36)
  })

  it('forget old releases, never those in use', () => {
    const counters = new ServiceCounters()
    for (let at = 0; at < 40; at += 1) counters.release(`r${at}`)
    counters.forgetExcept(new Set(['r0', 'r39']))
    const names = counters.report('shop', 'boot').releases.map(({ release }) => release)
    expect(names).toHaveLength(32)
    expect(names).toEqual(expect.arrayContaining(['r0', 'r39']))
  })

  it('count a broken connection as refused once', () => {
    const counters = new ServiceCounters()
    const connection = {}
    counters.refuse(connection)
    counters.refuse(connection)
    expect(counters.refused).toBe(1)
  })
})
