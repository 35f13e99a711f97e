import { describe, expect, it } from 'vitest'
import type { Effect } from '../core/rollout/due.ts'
import { newServiceState } from '../core/rollout/state.ts'
import { ok } from '../core/shared/result.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { releaseFor } from '../testkit/simulator/engine/settings.ts'
import { simulatedSettings } from '../testkit/simulator/settings.ts'
import type { EffectParts } from './effects.ts'
import { createEffectRunner } from './effects.ts'

const STREAM = 'shop.local'
const EFFECT: Effect = {
  kind: 'start-set',
  key: 'start-set v1',
  token: { epoch: 1, sequence: 1, rollout: null },
  release: 'v1',
  replicas: 2,
}

/** A controller whose lease runs out while it reads the release, when it is told so. */
async function scene({ epochAfterReading }: { epochAfterReading: number | null }) {
  const store = createStoreFake().open()
  await store.join({ name: 'here', pid: 1, host: 'here', startedAt: 0 })
  const body = releaseFor(STREAM, { version: '1', id: 'v1', settings: simulatedSettings() })
  await store.putDocument({ kind: 'release', id: 'v1', stream: STREAM, at: 0, body })
  let epoch: number | null = 1
  let starts = 0
  const none = async () => {
    throw new Error('nobody asks for this')
  }
  const target: EffectParts['target'] = {
    ...{ kind: 'counting', reconcile: none, resolve: none, stop: none, observe: none, quiesce: none },
    ...{ adopt: none, release: none, logs: none, secretVersions: none, prune: none },
    start: async () => {
      starts += 1
      return ok(undefined)
    },
  }
  const router: EffectParts['router'] = {
    ...{ kind: 'none', reconcile: none, setRoutes: none, readState: none, finalize: none },
  }
  const getDocument: typeof store.getDocument = async (kind, id) => {
    const document = await store.getDocument(kind, id)
    epoch = epochAfterReading
    return document
  }
  const run = createEffectRunner({
    ...{ store: { ...store, getDocument }, target, router, probeKey: 'k', goBack: none },
    epochOf: () => epoch,
  })
  return { answer: await run(STREAM, newServiceState(STREAM), EFFECT), starts: () => starts }
}

describe('an effect that has to read before it acts', () => {
  it('acts while the stream is still looked after', async () => {
    const { answer, starts } = await scene({ epochAfterReading: 1 })
    expect(answer.kind).toBe('ok')
    expect(starts()).toBe(1)
  })

  it.each([null, 2])('does nothing any more once the epoch is %s (INV10)', async (epochAfterReading) => {
    const { answer, starts } = await scene({ epochAfterReading })
    expect(answer).toMatchObject({ kind: 'failed', problem: { code: 'STORE_FENCED' } })
    expect(starts()).toBe(0)
  })
})
