import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServiceCounters } from '../../core/shared/counters.ts'
import type { InstanceTraffic } from '../../core/shared/router-state.ts'
import { DRAIN_REPORT_MS, FOLLOW_LIMIT_MS, HUNG_ELDER_MS } from '../limits.ts'
import { Elder } from './elder.ts'
import type { Change, FromHeir, Report } from './messages.ts'

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
  return { elders: 0, services: { [service]: { counts, instances, limited: null } } }
}

describe('the process that served before', () => {
  let sent: FromHeir[]
  let killed: number[]
  let elder: Elder

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    sent = []
    killed = []
    elder = new Elder(
      { send: (message) => void sent.push(message), close: async () => undefined },
      { pid: 71, report: reportOf(3), kill: (pid) => void killed.push(pid) },
    )
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const requestsOf = (service: string) => elder.countsOf(service)?.releases[0]?.total.requests

  it('is told each change, and follows it when it says so', async () => {
    const [first, second] = [elder.tell(CHANGE), elder.tell(CHANGE)]
    expect(sent.map((message) => 'number' in message && message.number)).toEqual([1, 2])
    elder.followed(1)
    expect(await first).toBe(true)
    const all = elder.follows()
    elder.followed(2)
    expect([await second, await all, await elder.follows()]).toEqual([true, true, true])
  })

  it('does not follow when it says nothing in time', async () => {
    const told = elder.tell(CHANGE)
    vi.advanceTimersByTime(FOLLOW_LIMIT_MS)
    expect(await told).toBe(false)
  })

  it('follows nothing that it was told later and has not heard yet', async () => {
    const first = elder.tell(CHANGE)
    vi.advanceTimersByTime(FOLLOW_LIMIT_MS)
    expect(await first).toBe(false)
    const still = elder.follows()
    vi.advanceTimersByTime(FOLLOW_LIMIT_MS)
    expect(await still).toBe(false)
  })

  it('holds nobody up once it is gone', async () => {
    const told = elder.tell(CHANGE)
    elder.ended()
    expect([await told, await elder.tell(CHANGE), await elder.follows()]).toEqual([true, true, true])
    await elder.end
    await elder.leave()
  })

  it('keeps what it counted when it is gone, and what its drains had to cut, for as long as ours', () => {
    elder.heard(reportOf(9, [instance('busy', null), instance('draining', false), instance('done', true)]))
    expect(elder.trafficOf('shop').map(({ id }) => id)).toEqual(['busy', 'draining', 'done'])
    elder.ended()
    expect(requestsOf('shop')).toBe(9)
    expect(elder.trafficOf('shop').map(({ id }) => id)).toEqual(['done'])
    vi.advanceTimersByTime(DRAIN_REPORT_MS + 1)
    expect(elder.trafficOf('shop')).toEqual([])
  })

  it('tells of services about which something is new; what it said of others stays', () => {
    elder.heard(reportOf(1, [], 'api'))
    expect([requestsOf('shop'), requestsOf('api'), elder.services.sort()]).toEqual([3, 1, ['api', 'shop']])
  })

  it('counts nothing for a service that was given up and comes back', () => {
    elder.forget('shop')
    expect(elder.countsOf('shop')).toBeNull()
  })

  it('is ended when it has said nothing for long, since a change would wait for it for ever', () => {
    elder.sweep(performance.now() + HUNG_ELDER_MS - 1)
    expect(killed).toEqual([])
    elder.sweep(performance.now() + HUNG_ELDER_MS)
    expect(killed).toEqual([71])
    elder.ended()
    elder.sweep(performance.now() + 3 * HUNG_ELDER_MS)
    expect(killed).toEqual([71])
  })
})
