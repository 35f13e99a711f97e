import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServiceCounters } from '../../core/shared/counters.ts'
import type { InstanceTraffic } from '../../core/shared/router-state.ts'
import { DRAIN_REPORT_MS, FOLLOW_LIMIT_MS, SWEEP_MS } from '../limits.ts'
import { Follower } from './follower.ts'
import type { Change, Report, ToFollower } from './messages.ts'

const HUNG_MS = 10_000
const CHANGE: Change = { kind: 'revert', service: 'shop', at: 1 }

const instance = (id: string, done: boolean | null): InstanceTraffic => ({
  id,
  release: 'v1',
  inFlight: done === true ? 0 : 1,
  websockets: 0,
  drain: done === null ? null : { done, sinceMs: 5, cut: [], cutTotal: 2 },
})

function reportOf(requests: number, instances: InstanceTraffic[] = [], service = 'shop'): Report {
  const counters = new ServiceCounters()
  for (let number = 0; number < requests; number += 1) counters.release('v1').total.answered(200)
  const counts = structuredClone(counters.report(service, 'boot'))
  return { elders: 0, services: { [service]: { counts, instances, limited: null, sums: {} } } }
}

describe('a process that serves by the same routes', () => {
  let sent: ToFollower[]
  let killed: number[]
  let follower: Follower

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    sent = []
    killed = []
    follower = new Follower(
      { send: (message) => void sent.push(message), close: async () => undefined },
      { pid: 71, report: reportOf(3), hungMs: HUNG_MS, kill: (pid) => void killed.push(pid) },
    )
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const requestsOf = (service: string) => follower.countsOf(service)?.releases[0]?.total.requests

  it('is told each change, and follows it when it says so', async () => {
    const [first, second] = [follower.tell(CHANGE), follower.tell(CHANGE)]
    expect(sent.map((message) => 'number' in message && message.number)).toEqual([1, 2])
    follower.followed(1)
    expect(await first).toBe(true)
    const all = follower.follows()
    follower.followed(2)
    expect([await second, await all, await follower.follows()]).toEqual([true, true, true])
  })

  it('does not follow when it says nothing in time', async () => {
    const told = follower.tell(CHANGE)
    vi.advanceTimersByTime(FOLLOW_LIMIT_MS)
    expect(await told).toBe(false)
  })

  it('follows nothing that it was told later and has not heard yet', async () => {
    const first = follower.tell(CHANGE)
    vi.advanceTimersByTime(FOLLOW_LIMIT_MS)
    expect(await first).toBe(false)
    const still = follower.follows()
    vi.advanceTimersByTime(FOLLOW_LIMIT_MS)
    expect(await still).toBe(false)
  })

  it('holds nobody up once it is gone', async () => {
    const told = follower.tell(CHANGE)
    follower.ended()
    expect([await told, await follower.tell(CHANGE), await follower.follows()]).toEqual([true, true, true])
    await follower.end
    await follower.leave()
  })

  it('keeps what it counted when it is gone, and what its drains had to cut, for as long as ours', () => {
    follower.heard(reportOf(9, [instance('busy', null), instance('draining', false), instance('done', true)]))
    expect(follower.trafficOf('shop').map(({ id }) => id)).toEqual(['busy', 'draining', 'done'])
    follower.ended()
    expect(requestsOf('shop')).toBe(9)
    expect(follower.trafficOf('shop').map(({ id }) => id)).toEqual(['done'])
    vi.advanceTimersByTime(DRAIN_REPORT_MS + 1)
    expect(follower.trafficOf('shop')).toEqual([])
  })

  it('tells of services about which something is new; what it said of others stays', () => {
    follower.heard(reportOf(1, [], 'api'))
    expect([requestsOf('shop'), requestsOf('api'), follower.services.sort()]).toEqual([3, 1, ['api', 'shop']])
  })

  it('counts nothing for a service that was given up and comes back', () => {
    follower.forget('shop')
    expect(follower.countsOf('shop')).toBeNull()
  })

  /** As its timer does it. */
  const sweepFor = (ms: number, each: () => void = () => undefined) => {
    for (let passedMs = 0; passedMs < ms; passedMs += SWEEP_MS) {
      vi.advanceTimersByTime(SWEEP_MS)
      each()
      follower.sweep(performance.now())
    }
  }

  it('is ended when it has said nothing for long, since a change would wait for it for ever', () => {
    sweepFor(HUNG_MS - SWEEP_MS)
    expect(killed).toEqual([])
    sweepFor(SWEEP_MS)
    expect(killed).toEqual([71])
    follower.ended()
    sweepFor(3 * HUNG_MS)
    expect(killed).toEqual([71])
  })

  it('is ended when it speaks and does not follow', () => {
    void follower.tell(CHANGE)
    sweepFor(2 * HUNG_MS - SWEEP_MS, () => follower.heard(reportOf(3)))
    expect(killed).toEqual([])
    sweepFor(SWEEP_MS, () => follower.heard(reportOf(3)))
    expect(killed).toEqual([71])
  })

  it('is not to blame for the time in which this process itself stood still', () => {
    void follower.tell(CHANGE)
    sweepFor(SWEEP_MS)
    vi.advanceTimersByTime(10 * HUNG_MS)
    follower.sweep(performance.now())
    sweepFor(HUNG_MS / 2)
    expect(killed).toEqual([])
  })
})
