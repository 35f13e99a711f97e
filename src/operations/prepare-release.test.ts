import { expect, it } from 'vitest'
import type { ResolveRequest } from '../ports/target.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { createTargetFake } from '../testkit/fakes/target.ts'
import { simulatedSettings } from '../testkit/simulator/settings.ts'
import { prepareRelease } from './prepare-release.ts'

it('a release is made without its own certificate and key, and without those of the rest of the file', async () => {
  const store = createStoreFake().open()
  await store.join({ name: 'test', pid: 1, startedAt: 0, host: 'here' })
  const { target } = createTargetFake({ now: () => 1 })
  const asked: ResolveRequest[] = []
  const resolve: typeof target.resolve = (request) => {
    asked.push(request)
    return target.resolve(request)
  }
  const context = {
    store,
    target: { ...target, resolve },
    clock: { now: () => 1, monotonic: () => 1, sleep: async () => undefined },
    digest: () => '0123456789',
    preparing: <T>(task: () => Promise<T>) => task(),
    certificateFiles: () => ['/tls/api.pem', '/tls/shop.key'],
  }
  const settings = { ...simulatedSettings(), tls: { certificate: '/tls/shop.pem', key: '/tls/shop.key' } }
  const made = await prepareRelease(context, { settings, version: '1.1.0', actor: 'ada' })
  expect(made.kind).toBe('ok')
  expect(asked.map(({ without }) => without?.toSorted())).toEqual([
    ['/tls/api.pem', '/tls/shop.key', '/tls/shop.pem'],
  ])
})
