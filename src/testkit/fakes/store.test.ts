import { describe, expect, it } from 'vitest'
import type { AppendRequest } from '../../ports/store.ts'
import { storeConformance } from '../conformance/store.ts'
import { createStoreFake } from './store.ts'

storeConformance(
  'memory fake, embedded',
  async () => {
    const { open } = createStoreFake()
    return { open: async () => open(), dispose: async () => {} }
  },
  { shared: false },
)

storeConformance(
  'memory fake, shared',
  async () => {
    let passed = 0
    const { open } = createStoreFake({ shared: true, clock: { now: () => passed, monotonic: () => passed } })
    const expireLeases = async () => {
      passed += 24 * 60 * 60_000
    }
    return { open: async () => open(), dispose: async () => {}, expireLeases }
  },
  { shared: true },
)

describe('store fake on command', () => {
  it('fails a write and changes nothing (HAR6)', async () => {
    const { store, faults } = await owned()
    faults.failAppends(1)
    expect(await store.append(request(0))).toMatchObject({ problem: { code: 'STORE_UNAVAILABLE' } })
    expect(await store.load('shop')).toEqual({ kind: 'ok', value: null })
    expect(await store.append(request(0))).toMatchObject({ value: { revision: 1 } })
  })

  it('refuses a version although it is right (HAR6)', async () => {
    const { store, faults } = await owned()
    faults.conflictAppends(1)
    expect(await store.append(request(0))).toMatchObject({ problem: { code: 'STORE_CONFLICT' } })
    expect(await store.append(request(0))).toMatchObject({ value: { revision: 1 } })
  })

  it('reads stale, and a write based on that is refused (S114)', async () => {
    const { store, faults } = await owned()
    await store.append(request(0))
    await store.append(request(1))
    faults.staleLoads(1)
    expect(await store.load('shop')).toMatchObject({ value: { revision: 1 } })
    expect(await store.append(request(1))).toMatchObject({ problem: { code: 'STORE_CONFLICT' } })
    expect(await store.load('shop')).toMatchObject({ value: { revision: 2 } })
  })

  it('loses the answer of a write that was made (S113)', async () => {
    const { store, faults } = await owned()
    faults.loseAnswers(1)
    expect(await store.append(request(0))).toMatchObject({ problem: { code: 'STORE_UNAVAILABLE' } })
    expect(await store.load('shop')).toMatchObject({ value: { revision: 1 } })
  })
})

async function owned() {
  const { open, faults } = createStoreFake()
  const store = open()
  await store.join({ name: 'here', pid: 1, host: 'here', startedAt: 0 })
  return { store, faults }
}

function request(expectedRevision: number): AppendRequest {
  const rest = { schemaVersion: 1, state: {}, due: null, messages: [], documents: [] }
  return {
    stream: 'shop',
    expectedRevision,
    epoch: null,
    at: 0,
    events: [{ kind: 'noted', event: 1 }],
    ...rest,
  }
}
