import { expect, it } from 'vitest'
import { ServiceCounters } from '../../core/shared/counters.ts'
import type { InstanceTraffic } from '../../core/shared/router-state.ts'
import { Follower } from '../handover/follower.ts'
import { COUNTED_RELEASES } from '../limits.ts'
import { Departed } from './departed.ts'

type Told = { requests?: Record<string, number>; inFlight?: number; done?: boolean }

/** A worker that told this and died. */
function dead({ requests = {}, inFlight = 0, done = false }: Told): Follower {
  const counters = new ServiceCounters()
  for (const [release, count] of Object.entries(requests))
    for (let number = 0; number < count; number += 1) counters.release(release).total.answered(200)
  const drain = done ? { done: true, sinceMs: 5, cut: [], cutTotal: 1 } : null
  const instance: InstanceTraffic = { id: 'i', release: 'v1', inFlight, websockets: 0, drain }
  const report = {
    elders: 0,
    services: {
      shop: {
        counts: structuredClone(counters.report('shop', 'boot')),
        instances: [instance],
        limited: { requests: 1, rate: 2 },
        sums: { v1: { latencySumMs: 10, ejections: 1 } },
      },
    },
  }
  const channel = { send: () => undefined, close: async () => undefined }
  const worker = new Follower(channel, { pid: 7, report, hungMs: 1_000 })
  worker.ended()
  return worker
}

const requestsOf = (departed: Departed) =>
  departed.countsOf('shop')?.releases.map(({ release, total }) => [release, total.requests])

it('what workers counted stays counted when they are gone, all together', () => {
  const departed = new Departed(() => new Set(['v1']))
  departed.take(dead({ requests: { v1: 3 } }))
  departed.take(dead({ requests: { v1: 4, v2: 1 } }))
  expect(requestsOf(departed)).toEqual([
    ['v1', 7],
    ['v2', 1],
  ])
  expect(departed.countsOf('shop')?.missing).toBeUndefined()
  expect(departed.limitedOf('shop')).toEqual({ requests: 2, rate: 4 })
  expect(departed.sumsOf('shop')).toEqual({ v1: { latencySumMs: 20, ejections: 2 } })
})

it('what a worker had under way when it died is counted as missing', () => {
  const departed = new Departed(() => new Set())
  departed.take(dead({ requests: { v1: 3 }, inFlight: 2 }))
  departed.take(dead({ requests: { v1: 3 }, inFlight: 5 }))
  expect(departed.countsOf('shop')?.missing).toBe(7)
  expect(departed.trafficOf('shop')).toEqual([])
})

it('finished drains of a worker that died stay told', () => {
  const departed = new Departed(() => new Set())
  departed.take(dead({ done: true }))
  expect(departed.trafficOf('shop')).toMatchObject([{ id: 'i', drain: { done: true, cutTotal: 1 } }])
  expect(departed.trafficOf('api')).toEqual([])
})

it('a service that was given up and comes back counts from zero', () => {
  const departed = new Departed(() => new Set())
  departed.take(dead({ requests: { v1: 3 } }))
  departed.forget('shop')
  expect([departed.countsOf('shop'), departed.limitedOf('shop')]).toEqual([null, null])
})

it('old releases are forgotten, and never one that is in the routes', () => {
  const departed = new Departed(() => new Set(['v0']))
  for (let number = 0; number < COUNTED_RELEASES + 10; number += 1)
    departed.take(dead({ requests: { [`v${number}`]: 1 } }))
  const releases = departed.countsOf('shop')?.releases.map(({ release }) => release) ?? []
  expect(releases).toHaveLength(COUNTED_RELEASES)
  expect(releases).toContain('v0')
  expect(releases).toContain(`v${COUNTED_RELEASES + 9}`)
})
