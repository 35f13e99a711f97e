import { describe, expect, it } from 'vitest'
import { trafficOf } from '../../testkit/traffic.ts'
import { problem } from '../shared/problem.ts'
import type { InstanceTraffic, RouterState } from '../shared/router-state.ts'
import type { ServiceCounts } from '../shared/traffic-counts.ts'
import type { MetricAnswer } from './observation.ts'
import { countsTogether, stateTogether, summedCounts } from './together.ts'

const counts = (boot: string, requests: number, more: Partial<ServiceCounts> = {}): ServiceCounts => ({
  service: 'shop.local',
  boot,
  releases: [{ release: 'a', total: trafficOf({ requests }), routes: { 'GET /': trafficOf({ requests }) } }],
  unroutable: 1,
  refused: 0,
  ...more,
})
const samples = (boot: string, requests: number): MetricAnswer => ({
  kind: 'samples',
  at: requests,
  counts: counts(boot, requests),
})
const failure: MetricAnswer = {
  kind: 'failure',
  at: 3,
  problem: problem('LOG_LINES_MISSING', { message: '5% of the lines are missing.', remedy: 'none' }),
}
const together = (first: MetricAnswer, other: MetricAnswer) =>
  countsTogether({ router: 'builtin', answer: first }, [{ router: 'haproxy', answer: other }])

describe('the numbers of several routers', () => {
  it('are those of each, side by side, and one alone is itself', () => {
    expect(together(samples('1', 10), samples('2', 20))).toMatchObject({
      kind: 'samples',
      at: 20,
      counts: { boot: '1', also: [{ boot: '2' }] },
    })
    const alone = samples('1', 10)
    expect(countsTogether({ router: 'builtin', answer: alone }, [])).toBe(alone)
  })

  it('are none while one of them fails or has nothing, and it is named', () => {
    expect(together(samples('1', 10), failure)).toMatchObject({
      kind: 'failure',
      problem: { code: 'LOG_LINES_MISSING', message: 'HAProxy: 5% of the lines are missing.' },
    })
    expect(together(failure, samples('1', 10)).kind).toBe('failure')
    for (const [one, other] of [
      [samples('1', 10), { kind: 'no-data', at: 3 }],
      [{ kind: 'no-data', at: 3 }, samples('1', 10)],
    ] as const)
      expect(together(one, other).kind).toBe('no-data')
  })

  it('have one total for those who read totals, which begins anew when one of them does', () => {
    const summed = summedCounts({ ...counts('1', 10), also: [counts('2', 20, { closed: 4 })] })
    expect(summed).toMatchObject({ boot: '1 2', unroutable: 2, closed: 4 })
    expect(summed.releases).toMatchObject([
      { release: 'a', total: { requests: 30 }, routes: { 'GET /': { requests: 30 } } },
    ])
    expect(summedCounts(counts('1', 10))).toEqual(counts('1', 10))
  })
})

it('what several routers have under way is added up for those who look on', () => {
  const traffic = (id: string, inFlight: number): InstanceTraffic => ({
    ...{ id, release: 'a', inFlight, websockets: 1, drain: null },
  })
  const state = (instances: InstanceTraffic[], more: Partial<RouterState> = {}): RouterState => ({
    ...{ service: 'shop.local', boot: '1', token: null, listening: null, sets: [], instances },
    reverted: null,
    ...more,
  })
  const first = state([traffic('a-1', 2)], { limited: { requests: 1, rate: 0 } })
  const merged = stateTogether([first, state([traffic('a-1', 3), traffic('a-2', 1)])])
  expect(merged?.instances).toMatchObject([
    { id: 'a-1', inFlight: 5, websockets: 2 },
    { id: 'a-2', inFlight: 1 },
  ])
  expect(merged?.limited).toEqual({ requests: 1, rate: 0 })
  expect([stateTogether([first]), stateTogether([])]).toEqual([first, null])
})
