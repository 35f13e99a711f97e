import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { createLeases, LEASE_MS, type LeaseParts } from './lease.ts'

const STREAM = 'shop.local'
const ALMOST_MS = LEASE_MS - 1500
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

describe('a lease that may run out', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('gives no epoch out any more, counted from the question and not from the answer', async () => {
    const store = await storeWithStream()
    const slow = { ...store, claim: later(store.claim, 2000) }
    const { leases } = leasesOver(slow)
    const claimed = leases.claim()
    await vi.advanceTimersByTimeAsync(2000)
    await claimed
    expect(leases.epochOf(STREAM)).toBe(1)
    await vi.advanceTimersByTimeAsync(ALMOST_MS - 2000)
    expect(leases.epochOf(STREAM)).toBe(1)
    await vi.advanceTimersByTimeAsync(1000)
    expect(leases.epochOf(STREAM)).toBeNull()
  })

  it('is let go of in time while the store does not answer', async () => {
    const store = await storeWithStream()
    const silent = { ...store, renew: () => new Promise<never>(() => undefined) }
    const { leases, lost } = leasesOver(silent)
    await leases.claim()
    const ended = new AbortController()
    void leases.keep(ended.signal)
    await vi.advanceTimersByTimeAsync(ALMOST_MS)
    expect(lost).toEqual([])
    await vi.advanceTimersByTimeAsync(LEASE_MS - ALMOST_MS)
    expect(lost).toEqual([STREAM])
    ended.abort()
  })

  it('goes on while it is renewed', async () => {
    const { leases, lost } = leasesOver(await storeWithStream())
    await leases.claim()
    const ended = new AbortController()
    void leases.keep(ended.signal)
    await vi.advanceTimersByTimeAsync(4 * LEASE_MS)
    expect(leases.epochOf(STREAM)).toBe(1)
    expect(lost).toEqual([])
    ended.abort()
  })

  it('is renewed while to take over another one takes longer than it lasts', async () => {
    const store = await storeWithStream()
    const { leases, lost } = leasesOver(store, async ({ stream }) => {
      if (stream !== STREAM) await clock.sleep(3 * LEASE_MS)
      return ok(undefined)
    })
    await leases.claim()
    const ended = new AbortController()
    void leases.keep(ended.signal)
    await addStream(store, 'slow.local')
    await vi.advanceTimersByTimeAsync(2 * LEASE_MS)
    expect(leases.epochOf(STREAM)).toBe(1)
    expect(leases.epochOf('slow.local')).toBe(1)
    expect(lost).toEqual([])
    ended.abort()
  })

  it('is kept when it was taken while the question for the renewal was under way', async () => {
    const store = await storeWithStream()
    const { leases, lost } = leasesOver({
      ...store,
      claim: later(store.claim, 1000),
      renew: later(store.renew, 1000),
    })
    const ended = new AbortController()
    void leases.keep(ended.signal)
    await vi.advanceTimersByTimeAsync(3 * LEASE_MS)
    expect(leases.epochOf(STREAM)).toBe(1)
    expect(lost).toEqual([])
    ended.abort()
  })
})

function leasesOver(store: Store, onTaken: LeaseParts['onTaken'] = async () => ok(undefined)) {
  const lost: string[] = []
  const leases = createLeases({
    store,
    clock,
    log,
    onTaken,
    onLost: (stream) => lost.push(stream),
  })
  return { leases, lost }
}

const later =
  <Input, Output>(run: (input: Input) => Promise<Output>, ms: number) =>
  async (input: Input): Promise<Output> => {
    const answer = await run(input)
    await clock.sleep(ms)
    return answer
  }

async function storeWithStream(): Promise<Store> {
  const store = createStoreFake({ shared: true, clock }).open()
  await store.join({ name: 'one', pid: 1, host: 'here', startedAt: 0 })
  await addStream(store, STREAM)
  return store
}

async function addStream(store: Store, stream: string): Promise<void> {
  await store.append({
    stream,
    expectedRevision: 0,
    epoch: null,
    at: 0,
    events: [{ kind: 'noted', event: {} }],
    schemaVersion: 1,
    state: {},
    due: 0,
    messages: [],
    documents: [],
  })
}
