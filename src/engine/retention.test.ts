import { describe, expect, it } from 'vitest'
import type { Release } from '../core/release/release.ts'
import { newServiceState } from '../core/rollout/state.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { createTargetFake } from '../testkit/fakes/target.ts'
import { createRetention, digestsToKeep } from './retention.ts'

const DAY_MS = 24 * 3_600_000

const release = (id: string, createdAt: number): Release =>
  ({ id, createdAt, artifact: { digest: `sha256:${id}`, folder: '', bytes: 1, files: 1 } }) as Release

describe('retention of artifacts', () => {
  it('keeps what stable and every offered rollback target need, however old (INV4)', () => {
    const state = {
      ...newServiceState('shop.local'),
      stable: { release: 'c', version: '3', since: 0 },
      previous: [{ release: 'b', version: '2', since: 0 }],
    }
    const releases = ['a', 'b', 'c'].map((id) => release(id, 0))
    expect(digestsToKeep([state], releases, 100 * DAY_MS)).toEqual(['sha256:b', 'sha256:c'])
  })

  it('keeps what was prepared within a day, because a plan may still be carried out', () => {
    const releases = [release('old', 0), release('young', 2 * DAY_MS)]
    expect(digestsToKeep([newServiceState('shop.local')], releases, 2.5 * DAY_MS)).toEqual(['sha256:young'])
  })

  it('never removes while a release is being prepared', async () => {
    const order: string[] = []
    const store = createStoreFake().open()
    const retention = createRetention({
      store: {
        ...store,
        streams: () => {
          order.push('removal')
          return store.streams()
        },
      },
      engine: { handle: () => Promise.reject(), load: () => Promise.reject() },
      target: createTargetFake().target,
      clock: { now: () => 0, monotonic: () => 0, sleep: async () => undefined },
    })
    const held = Promise.withResolvers<void>()
    const preparing = retention.preparing(async () => {
      await held.promise
      order.push('prepared')
    })
    const removed = retention.runOnce()
    held.resolve()
    await Promise.all([preparing, removed])
    expect(order).toEqual(['prepared', 'removal'])
  })
})
