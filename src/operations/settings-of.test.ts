import { expect, it } from 'vitest'
import type { ServiceSettings } from '../core/release/settings.ts'
import { newServiceState } from '../core/rollout/state.ts'
import { ok } from '../core/shared/result.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { simulatedSettings } from '../testkit/simulator/settings.ts'
import type { OperationContext } from './context.ts'
import { addressTaken } from './settings-of.ts'

const at = (service: string, port: number): ServiceSettings => ({
  ...simulatedSettings(),
  service,
  listen: { host: '127.0.0.1', port },
})

/** A controller that knows one service, `shop` on port 8080, stable since long. */
function contextWithShop(): Pick<OperationContext, 'store' | 'engine'> {
  const shop = {
    ...newServiceState('shop.local'),
    settings: at('shop', 8080),
    stable: { release: '1.0.0-r', version: '1.0.0', since: 0 },
  }
  return {
    store: { ...createStoreFake().open(), streams: async () => ok(['shop.local']) },
    engine: {
      load: async () => ok({ state: shop, revision: 1 }),
      handle: () => Promise.reject(new Error('nothing is decided here')),
    },
  }
}

it('refuses a second service on an address that is taken, by the name of the first (S7)', async () => {
  const refused = await addressTaken(contextWithShop(), at('api', 8080))
  expect(refused.kind === 'failed' && refused.problem).toMatchObject({
    code: 'ADDRESS_TAKEN',
    message: '127.0.0.1:8080 belongs to shop.local already.',
  })
})

it('lets a service keep its own address, and another take a free one', async () => {
  expect((await addressTaken(contextWithShop(), at('shop', 8080))).kind).toBe('ok')
  expect((await addressTaken(contextWithShop(), at('api', 8081))).kind).toBe('ok')
})
