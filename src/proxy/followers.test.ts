import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServiceCounters } from '../core/shared/counters.ts'
import { problem } from '../core/shared/problem.ts'
import { Followers } from './followers.ts'
import { Follower } from './handover/follower.ts'
import type { HeldCertificate, Report, ToFollower } from './handover/messages.ts'
import { FOLLOW_LIMIT_MS } from './limits.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const report = (requests: number): Report => {
  const counters = new ServiceCounters()
  for (let number = 0; number < requests; number += 1) counters.release('v1').total.answered(200)
  const counts = structuredClone(counters.report('shop', 'boot'))
  const sums = { v1: { latencySumMs: requests * 10, ejections: 1 } }
  return {
    elders: 0,
    services: { shop: { counts, instances: [], limited: { requests, rate: 0 }, sums } },
  }
}

/** Follows at once, or not at all. */
function follower(pid: number, { follows = true, requests = 0 } = {}) {
  const told: ToFollower[] = []
  const made: Follower = new Follower(
    {
      send: (message) => {
        told.push(message)
        // The answer takes its way back.
        if (follows && message.kind === 'change') queueMicrotask(() => made.followed(message.number))
      },
      close: async () => undefined,
    },
    { pid, report: report(requests), hungMs: 1_000, kill: () => undefined },
  )
  return { made, told }
}

const CHANGE = { kind: 'revert', service: 'shop', at: 1 } as const

it('a change is in force when the one that served before and all workers follow it', async () => {
  const followers = new Followers(() => new Set())
  const [elder, one, two] = [follower(1), follower(2), follower(3, { follows: false })]
  followers.elder = elder.made
  followers.add(one.made)
  expect(await followers.tell(CHANGE)).toBeNull()
  followers.add(two.made)
  for (const asked of [() => followers.tell(CHANGE), () => followers.late()]) {
    const late = asked()
    await vi.advanceTimersByTimeAsync(FOLLOW_LIMIT_MS)
    expect((await late)?.pid).toBe(3)
  }
  two.made.ended()
  followers.dismiss(two.made)
  expect([await followers.tell(CHANGE), await followers.late()]).toEqual([null, null])
  expect(elder.told).toHaveLength(3)
})

it('workers alone are asked for their numbers of now: older versions of a proxy know no such question', async () => {
  const followers = new Followers(() => new Set())
  const [elder, worker] = [follower(1), follower(2)]
  followers.elder = elder.made
  followers.add(worker.made)
  expect(await followers.look('shop')).toBeNull()
  expect(worker.told).toEqual([{ kind: 'change', number: 1, change: { kind: 'look', service: 'shop' } }])
  expect(elder.told).toEqual([])
})

it('what all told is added to our own, also of those that are gone', () => {
  const followers = new Followers(() => new Set(['v1']))
  const [elder, one, two] = [
    follower(1, { requests: 1 }),
    follower(2, { requests: 10 }),
    follower(3, { requests: 100 }),
  ]
  followers.elder = elder.made
  followers.add(one.made)
  followers.add(two.made)
  two.made.ended()
  followers.dismiss(two.made)
  const own = new ServiceCounters().report('shop', 'boot')
  expect(followers.addCounts(own, 'shop').releases.map(({ total }) => total.requests)).toEqual([111])
  expect(followers.addLimited({ requests: 1_000, rate: 5 }, 'shop')).toEqual({ requests: 1_111, rate: 5 })
  expect(followers.addSums({}, 'shop')).toEqual({ v1: { latencySumMs: 1_110, ejections: 3 } })
  followers.forget('shop')
  expect(followers.addCounts(own, 'shop').releases).toEqual([])
})

describe('the certificate that is told', () => {
  const held = (name: string, since: number, code?: 'TLS_KEY_MISMATCH'): HeldCertificate => {
    const wrong = code === undefined ? null : problem(code, { message: 'Wrong.', remedy: 'Right it.' })
    return { fingerprint: name, since, shown: { validUntil: 1, names: [name], problem: wrong } }
  }
  /** What is told where this process holds `own`, and each of its workers one of these. */
  const told = (own: HeldCertificate, ...others: (HeldCertificate | null)[]) => {
    const followers = new Followers(() => new Set())
    for (const [at, certificate] of others.entries()) {
      const { made } = follower(at + 1)
      const { services } = report(0)
      if (certificate !== null && services.shop !== undefined) services.shop.certificate = certificate
      made.heard({ elders: 0, services })
      followers.add(made)
    }
    const { names, problem: wrong } = followers.worstCertificate(own, 'shop').shown
    return [names[0], wrong?.code ?? null]
  }

  it('is the new one only when every process shows it', () => {
    expect(told(held('new', 20), held('new', 21), held('old', 10))).toEqual(['old', null])
    expect(told(held('old', 10), held('new', 20))).toEqual(['old', null])
    expect(told(held('new', 20), held('new', 15), null)).toEqual(['new', null])
  })

  it('is the one with which something is wrong in any process', () => {
    const half = held('old', 10, 'TLS_KEY_MISMATCH')
    for (const [own, other] of [
      [held('new', 20), half],
      [half, held('new', 20)],
      [half, held('old', 9)],
    ] as const)
      expect(told(own, other)).toEqual(['old', 'TLS_KEY_MISMATCH'])
  })

  it('is not that of who served before, who meets no new client', () => {
    const followers = new Followers(() => new Set())
    const { made } = follower(1)
    const { services } = report(0)
    if (services.shop !== undefined) services.shop.certificate = held('old', 10, 'TLS_KEY_MISMATCH')
    made.heard({ elders: 0, services })
    followers.elder = made
    expect(followers.worstCertificate(held('new', 20), 'shop').fingerprint).toBe('new')
  })
})
