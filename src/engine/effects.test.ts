import { describe, expect, it } from 'vitest'
import type { Effect, Verification } from '../core/rollout/due.ts'
import { newServiceState } from '../core/rollout/state.ts'
import { ok } from '../core/shared/result.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { createVerifierFake } from '../testkit/fakes/verifier.ts'
import { releaseFor } from '../testkit/simulator/engine/settings.ts'
import { simulatedSettings } from '../testkit/simulator/settings.ts'
import type { EffectParts } from './effects.ts'
import { answerCommand, createEffectRunner } from './effects.ts'

const STREAM = 'shop.local'
const EFFECT: Effect = {
  kind: 'start-set',
  key: 'start-set v1',
  token: { epoch: 1, sequence: 1, rollout: null },
  release: 'v1',
  replicas: 2,
  without: [],
}

const none = async () => {
  throw new Error('nobody asks for this')
}
const target: EffectParts['target'] = {
  ...{ kind: 'none', reconcile: none, resolve: none, start: none, stop: none, observe: none, quiesce: none },
  ...{ adopt: none, release: none, logs: none, secretVersions: none, prune: none },
}
const routerOf: EffectParts['routerOf'] = () => {
  throw new Error('nobody asks for this')
}

/** Parts of which nobody asks anything but what is given here. */
const runner = (parts: Partial<EffectParts>) =>
  createEffectRunner({
    ...{ store: createStoreFake().open(), target, routerOf, verifier: createVerifierFake().verifier },
    ...{ probeKey: 'k', goBack: none, epochOf: () => 1 },
    ...parts,
  })

/** A controller whose lease runs out while it reads the release, when it is told so. */
async function scene({ epochAfterReading }: { epochAfterReading: number | null }) {
  const store = createStoreFake().open()
  await store.join({ name: 'here', pid: 1, host: 'here', startedAt: 0 })
  const body = releaseFor(STREAM, { version: '1', id: 'v1', settings: simulatedSettings() })
  await store.putDocument({ kind: 'release', id: 'v1', stream: STREAM, at: 0, body })
  let epoch: number | null = 1
  let starts = 0
  const counting: EffectParts['target'] = {
    ...target,
    start: async () => {
      starts += 1
      return ok(undefined)
    },
  }
  const getDocument: typeof store.getDocument = async (kind, id) => {
    const document = await store.getDocument(kind, id)
    epoch = epochAfterReading
    return document
  }
  const run = runner({ store: { ...store, getDocument }, target: counting, epochOf: () => epoch })
  return {
    answer: await run(STREAM, newServiceState(STREAM), EFFECT, new AbortController().signal),
    starts: () => starts,
  }
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

describe('checks of a release', () => {
  const effect: Verification = {
    ...{
      kind: 'verify',
      key: 'verify rollout-1 1',
      token: { epoch: 1, sequence: 1, rollout: 'rollout-1' },
    },
    ...{ rollout: 'rollout-1', index: 1, moment: 'before', url: 'http://127.0.0.1:1' },
    ...{ version: 'v1', release: 'v1' },
    checks: [
      {
        ...{ kind: 'command', name: 'smoke', moments: ['before'], timeoutMs: 99 },
        ...{ command: ['smoke'], secrets: [] },
      },
    ],
  }

  it('that were given up say nothing about it, whatever they had found by then', async () => {
    const wanted = new AbortController()
    const run = runner({ verifier: createVerifierFake(() => 'lasts').verifier })
    const answer = run(STREAM, newServiceState(STREAM), effect, wanted.signal)
    wanted.abort()
    expect(await answer).toMatchObject({ kind: 'failed', problem: { code: 'CHECKS_GIVEN_UP' } })
    expect(answerCommand(effect, await answer).kind).toBe('effect-failed')
  })

  it.each([
    ['before', null],
    ['after', 'k'],
  ] as const)(
    '%s the switch carry the key %j: an instance that is asked itself never sees it',
    async (moment, key) => {
      const { verifier, asked } = createVerifierFake()
      await runner({ verifier })(
        STREAM,
        newServiceState(STREAM),
        { ...effect, moment },
        new AbortController().signal,
      )
      expect(asked.map(({ probeKey }) => probeKey)).toEqual([key])
    },
  )
})
