import { expect, it } from 'vitest'
import type { ServiceCounts } from '../../../core/shared/traffic-counts.ts'
import { type Bench, codeOf, eventually, NEW, OLD, SERVICE } from './kit.ts'
import { atAddress, type SharedAddress } from './shared-address.ts'

const API = 'shop-api'
const REST = 'shop-rest'

/** Several services at one address, told apart by host and path. */
export function hostCases(bench: () => Bench): void {
  it('gives a request to the service of its host: the exact name, then one label in front, then who takes all', async ({
    skip,
  }) => {
    await atAddress(bench(), skip, async (address) => {
      await address.put(SERVICE, { hosts: ['shop.test', '*.shop.test', '[2001:db8::1]'] })
      await address.put(API, { hosts: ['api.shop.test'] })
      await expectHosts(address, 'shop.test', OLD)
      for (const host of ['SHOP.Test:8080', 'shop.test.', 'de.shop.test', '[2001:DB8::1]:80'])
        await expectHosts(address, host, OLD)
      for (const host of ['api.shop.test', 'API.shop.test:1']) await expectHosts(address, host, API)
      const others = ['a.b.shop.test', '.shop.test', 'xshop.test', 'shopxtest', 'test', '127.0.0.1']
      for (const host of others) await expectHosts(address, host, '404 NO_SUCH_SERVICE')
      await address.put(REST)
      for (const host of others) await expectHosts(address, host, REST)
      await expectHosts(address, 'api.shop.test', API)
    })
  })

  it('gives it to the longest path that fits, by whole segments and as it came, and passes it on unchanged', async ({
    skip,
  }) => {
    await atAddress(bench(), skip, async (address) => {
      const hosts = ['shop.test']
      await address.put(SERVICE, { hosts })
      await address.put(API, { hosts, paths: ['/api', '/v1.0'] })
      await address.put(REST, { paths: ['/api/public', '/api/public/a+b$c'] })
      const at = async (path: string, host = 'shop.test') => await address.who({ host, path })
      for (const path of ['/api', '/api/', '/api/cart', '/api?x=/', '/api/public', '/v1.0/x', '/api/../x'])
        expect(await at(path), path).toBe(API)
      for (const path of ['/', '/apis', '/API', '/ap', '/%61pi', '/x/../api', '//api', '/v1x0', '/?/api'])
        expect(await at(path), path).toBe(OLD)
      for (const path of ['/api/public', '/api/public/a+b$c', '/api/public?x'])
        expect(await at(path, 'other.test'), path).toBe(REST)
      for (const path of ['/', '/api', '/api/publicly'])
        expect(await at(path, 'other.test'), path).toBe('404 NO_SUCH_SERVICE')
      const path = '/api/%61//../b;c=$1?x=%20&y="$host"'
      const { seen } = await address.ask({ host: 'Shop.test:81', path })
      expect(seen).toMatchObject({ path, host: 'Shop.test:81', proto: 'http' })
    })
  })

  it('keeps the services of an address apart when one of them changes, comes or goes', async ({ skip }) => {
    await atAddress(bench(), skip, async (address) => {
      const { routes, setup } = address.bench
      await address.put(SERVICE, { hosts: ['shop.test'] })
      await address.put(API, { paths: ['/api'] })
      const taken = { hosts: ['shop.test'], paths: ['/'] }
      expect(codeOf(await address.tryPut(REST, taken))).toBe('ENTRY_TAKEN')
      expect(codeOf(await address.tryPut(REST, { paths: ['/x', '/api'] }))).toBe('ENTRY_TAKEN')
      await expectHosts(address, 'shop.test', OLD)
      await setup.reload?.()
      const rule = {
        match: { kind: 'exact', in: 'header', name: 'x-team', value: 'qa' },
        release: NEW,
      } as const
      await address.put(SERVICE, { hosts: ['shop.test', 'new.test'], rules: [rule] })
      await expectHosts(address, 'new.test', OLD)
      const ruled = await address.who({ host: 'new.test', headers: { 'x-team': 'qa' } })
      expect(ruled).toBe(NEW)
      expect(await address.who({ path: '/api/x', headers: { 'x-team': 'qa' } })).toBe(API)
      await address.put(SERVICE, { sets: routes(1_000, 1).sets, hosts: ['new.test'] })
      await expectHosts(address, 'new.test', NEW)
      await expectHosts(address, 'shop.test', '404 NO_SUCH_SERVICE')
      await address.remove(API)
      expect(await address.who({ path: '/api/x' })).toBe('404 NO_SUCH_SERVICE')
      await expectHosts(address, 'new.test', NEW)
    })
  })

  it('counts each request for the service that took it, and what fits nobody for none', async ({ skip }) => {
    await atAddress(bench(), skip, async (address) => {
      const { counts } = bench().setup
      if (counts === undefined) return skip('no counters in this set-up')
      await address.put(SERVICE, { hosts: ['shop.test'] })
      await address.put(API, { hosts: ['shop.test'], paths: ['/api'] })
      const before = { shop: await countsOf(SERVICE), api: await countsOf(API) }
      for (let turn = 0; turn < 3; turn += 1) await address.who({ host: 'shop.test' })
      for (let turn = 0; turn < 2; turn += 1) await address.who({ host: 'shop.test', path: '/api' })
      for (let turn = 0; turn < 4; turn += 1) await address.who({ host: 'else.test' })
      await eventually('all are counted', async () => {
        const [shop, api] = [await countsOf(SERVICE), await countsOf(API)]
        return requestsOf(shop) === 3 && requestsOf(api) === 2 ? true : null
      })
      for (const [service, then] of [
        [SERVICE, before.shop],
        [API, before.api],
      ] as const) {
        const { refused, unroutable } = await countsOf(service)
        expect([refused, unroutable], service).toEqual([then.refused, then.unroutable])
      }

      async function countsOf(service: string): Promise<ServiceCounts> {
        const answer = await counts?.query(service)
        if (answer?.kind !== 'samples') throw new Error(`no counts of ${service}: ${JSON.stringify(answer)}`)
        return answer.counts
      }
    })
  })
}

const expectHosts = async (address: SharedAddress, host: string, who: string): Promise<void> =>
  expect(await address.who({ host }), host).toBe(who)

const requestsOf = ({ releases }: ServiceCounts): number =>
  releases.reduce((sum, { total }) => sum + total.requests, 0)
