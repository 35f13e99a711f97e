import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { createLeases, LEASE_MS } from './lease.ts'

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
})

function leasesOver(store: Store) {
  const lost: string[] = []
  const leases = createLeases({
    store,
    clock,
    log,
    onTaken: async () => ok(undefined),
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
  await store.append({
    stream: STREAM,
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
  return store
}
