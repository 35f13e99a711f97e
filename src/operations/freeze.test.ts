import { expect, it } from 'vitest'
import type { Command } from '../core/rollout/command.ts'
import { ok } from '../core/shared/result.ts'
import { createFreezesFake } from '../testkit/fakes/freezes.ts'
import { type FreezeContext, freezeEnvironment } from './freeze.ts'

const NOW = 1_800_000_000_000

function setup(streams: string[] = ['shop.production', 'cart.production', 'shop.local']) {
  const { freezes } = createFreezesFake()
  const told: [string, Command][] = []
  const context: FreezeContext = {
    freezes,
    clock: { now: () => NOW },
    store: { streams: async () => ok(streams) },
    engine: {
      handle: async (stream, command) => {
        told.push([stream, command])
        return ok(undefined)
      },
    },
    attend: () => undefined,
    inTurn: (_, task) => task(),
  }
  return { context, freezes, told }
}

const FREEZE = { reason: 'year end', who: 'ada', since: NOW, until: null }

it('is written down and told to each service of the environment', async () => {
  const { context, freezes, told } = setup()
  const answer = await freezeEnvironment(context, { environment: 'production', by: 'ada', freeze: FREEZE })
  expect(answer).toMatchObject({ value: { freeze: FREEZE, streams: ['shop.production', 'cart.production'] } })
  expect(await freezes.read('production')).toMatchObject({ value: { freeze: FREEZE, asOf: NOW } })
  expect(told.map(([stream]) => stream)).toEqual(['shop.production', 'cart.production'])
})

it('each word is newer than the one before, also within one millisecond', async () => {
  const { context, freezes } = setup()
  await freezeEnvironment(context, { environment: 'production', by: 'ada', freeze: FREEZE })
  await freezeEnvironment(context, { environment: 'production', by: 'bob', freeze: null })
  expect(await freezes.read('production')).toEqual({
    kind: 'ok',
    value: { freeze: null, asOf: NOW + 1, by: 'bob' },
  })
})
