import { expect, it } from 'vitest'
import type { ServiceSettings } from '../core/release/settings.ts'
import { newServiceState } from '../core/rollout/state.ts'
import { ok } from '../core/shared/result.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { simulatedSettings } from '../testkit/simulator/settings.ts'
import type { OperationContext } from './context.ts'
import { addressTaken, settingsAfter } from './settings-of.ts'

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

it('lets two share an address where hosts or paths tell them apart, with the same router and the same speech', async () => {
  const other = (change: Partial<ServiceSettings>) =>
    addressTaken(contextWithShop(), { ...at('api', 8080), ...change })
  const tls = { certificate: '/c.pem', key: '/c.key' }
  expect((await other({ hosts: ['api.example.org'] })).kind).toBe('ok')
  expect((await other({ paths: ['/api'] })).kind).toBe('ok')
  expect(await other({ hosts: ['api.example.org'], router: 'nginx' })).toMatchObject({
    problem: { message: expect.stringContaining('another router') },
  })
  expect(await other({ hosts: ['api.example.org'], tls })).toMatchObject({
    problem: { code: 'ADDRESS_TAKEN', message: expect.stringContaining('speaks TLS') },
  })
})

it('refuses the address of a second router that another service has, and the other way round', async () => {
  const also = [{ router: 'haproxy' as const, listen: { host: '127.0.0.1', port: 8080 } }]
  expect(await addressTaken(contextWithShop(), { ...at('api', 8085), also })).toMatchObject({
    problem: { code: 'ADDRESS_TAKEN', message: '127.0.0.1:8080 belongs to shop.local already.' },
  })
  const free = [{ router: 'haproxy' as const, listen: { host: '127.0.0.1', port: 8086 } }]
  expect((await addressTaken(contextWithShop(), { ...at('api', 8085), also: free })).kind).toBe('ok')
})

it('lets a service keep its own address, and another take a free one', async () => {
  expect((await addressTaken(contextWithShop(), at('shop', 8080))).kind).toBe('ok')
  expect((await addressTaken(contextWithShop(), at('api', 8081))).kind).toBe('ok')
})

it('keeps the router that serves where the file says auto, until the address is another one', () => {
  const found: ServiceSettings = { ...at('shop', 8080), router: 'haproxy', routerFound: true }
  const after = (before: ServiceSettings, file: ServiceSettings = found) => {
    const state = newServiceState('shop.local')
    const traffic = { ...state.traffic, sequence: 3, router: before.router }
    const read = settingsAfter({ loadSettings: () => ok([file]) }, { ...state, settings: before, traffic })
    return read.kind === 'ok' ? read.value.router : read.problem.code
  }
  expect(after(at('shop', 8080))).toBe('builtin')
  expect(after(at('shop', 9090))).toBe('haproxy')
  // A router that is named is what was meant.
  expect(after(at('shop', 8080), { ...at('shop', 8080), router: 'haproxy' })).toBe('haproxy')
})
