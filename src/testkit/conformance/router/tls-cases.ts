import { copyFile, readFile, rename, writeFile } from 'node:fs/promises'
import { type ConnectionOptions, connect } from 'node:tls'
import { expect, it } from 'vitest'
import type { TlsFiles } from '../../../core/shared/entry.ts'
import { type Bench, codeOf, eventually, NEW, OLD, SERVICE } from './kit.ts'
import { atAddress, type SharedAddress } from './shared-address.ts'

const API = 'shop-api'
const SHOP_NAMES = ['shop.test', '*.shop.test']

/** An address that ends TLS, with a certificate for each service. */
export function tlsCases(bench: () => Bench): void {
  it('tells who speaks plain HTTP that this address speaks TLS', async ({ skip }) => {
    await withCertificates(bench(), skip, async (address, make) => {
      const why = address.bench.setup.differs?.['plain-on-tls']
      if (why !== undefined) return skip(why)
      await address.put(SERVICE, { tls: make('shop', ['shop.test']) })
      const plain = await address.ask({ host: 'shop.test' })
      expect([plain.status, plain.code]).toEqual([400, 'TLS_EXPECTED'])
      expect((await address.ask({ name: 'shop.test', host: 'shop.test' })).status).toBe(200)
    })
  })

  it('ends TLS and says so to the instance, whatever the client claims', async ({ skip }) => {
    await withCertificates(bench(), skip, async (address, make) => {
      await address.put(SERVICE, { tls: make('shop', ['shop.test']) })
      const headers = { 'x-forwarded-proto': 'http', forwarded: 'proto=http' }
      const answer = await address.ask({ name: 'shop.test', host: 'shop.test', headers })
      expect([answer.status, answer.body]).toEqual([200, OLD])
      expect(answer.seen).toMatchObject({ proto: 'https', host: 'shop.test' })
      expect(answer.seen.forwarded).toContain('proto=https')
      const state = await address.bench.state()
      expect(state.certificate).toMatchObject({ names: ['shop.test'], problem: null })
      expect(state.certificate?.validUntil).toBeGreaterThan(Date.now())
      const body = 'x'.repeat(3_000_000)
      expect((await address.ask({ name: 'shop.test', host: 'shop.test', body })).status).toBe(200)
    })
  })

  it('speaks TLS 1.2 and later and HTTP/1.1 inside', async ({ skip }) => {
    await withCertificates(bench(), skip, async (address, make) => {
      await address.put(SERVICE, { tls: make('shop', ['shop.test']) })
      const { port } = address.listen
      const spoken = await handshake({ port, ALPNProtocols: ['h2', 'http/1.1'] })
      expect(spoken).toEqual(['TLSv1.3', 'http/1.1'])
      expect(await handshake({ port, maxVersion: 'TLSv1.2' })).toEqual(['TLSv1.2', false])
      // A client that would take it, so that the refusal is the server's.
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
      expect(await handshake({ port, ...old })).toBeNull()
    })
  })

  it('shows each host its certificate, and refuses a request for another one with 421', async ({ skip }) => {
    await withCertificates(bench(), skip, async (address, make) => {
      const [shop, api] = [make('shop', SHOP_NAMES), make('api', ['api.test'])]
      await address.put(SERVICE, { hosts: SHOP_NAMES, tls: shop })
      await address.put(API, { hosts: ['api.test'], tls: api })
      const under = (name: string, host = name) => address.ask({ name, host })
      expect(await under('shop.test')).toMatchObject({ body: OLD, shown: 'DNS:shop.test, DNS:*.shop.test' })
      expect(await under('api.test')).toMatchObject({ body: API, shown: 'DNS:api.test' })
      expect(await under('de.shop.test')).toMatchObject({
        body: OLD,
        shown: 'DNS:shop.test, DNS:*.shop.test',
      })
      expect((await under('SHOP.test', 'Shop.test:8443')).body).toBe(OLD)
      // Nobody is misled by a certificate that is good for the name.
      expect((await under('shop.test', 'de.shop.test')).body).toBe(OLD)
      for (const [name, host] of [
        ['shop.test', 'api.test'],
        ['api.test', 'shop.test'],
        ['api.test', 'de.shop.test'],
      ] as const) {
        const { status, code } = await under(name, host)
        expect([status, code], `${host} over the certificate of ${name}`).toEqual([421, 'HOST_MISDIRECTED'])
      }
      const nobody = await under('shop.test', 'else.test')
      expect([nobody.status, nobody.code]).toEqual([404, 'NO_SUCH_SERVICE'])
      // No name, or one of nobody: the certificate of the first service by its name.
      for (const name of ['', 'else.test'])
        expect((await under(name, 'shop.test')).shown).toContain('DNS:shop.test')
      await address.remove(API)
      expect((await under('api.test')).code).toBe('NO_SUCH_SERVICE')
      expect((await under('shop.test')).body).toBe(OLD)
    })
  }, 60_000)

  it('takes over a renewed certificate, never half of it, and changes weights while the pair does not fit', async ({
    skip,
  }) => {
    await withCertificates(bench(), skip, async (address, make) => {
      const { state, routes } = address.bench
      const hosts = ['live.test']
      const live = make('live', hosts)
      const put = (permille: number) =>
        address.put(SERVICE, { hosts, tls: live, sets: routes(permille, 1).sets })
      const ask = () => address.ask({ name: 'live.test', host: 'live.test' })
      await put(0)
      const next = make('next', [...hosts, 'new.test'])
      await copyFile(next.certificate, live.certificate)
      await eventually('the half pair is told', async () =>
        (await state()).certificate?.problem?.code === 'TLS_KEY_MISMATCH' ? true : null,
      )
      expect(await ask()).toMatchObject({ body: OLD, shown: 'DNS:live.test' })
      await put(1_000)
      expect(await ask()).toMatchObject({ body: NEW, shown: 'DNS:live.test' })
      expect((await state()).certificate?.problem?.code).toBe('TLS_KEY_MISMATCH')
      await rename(next.key, live.key)
      await eventually('the new one is shown', async () =>
        (await ask()).shown.includes('new.test') ? true : null,
      )
      await eventually('nothing is wrong any more', async () =>
        (await state()).certificate?.problem === null ? true : null,
      )
      expect((await state()).certificate?.names).toEqual(['live.test', 'new.test'])
      const worse = make('worse', ['elsewhere.test'])
      const [key, certificate] = await Promise.all([readFile(live.key), readFile(live.certificate)])
      await copyFile(worse.certificate, live.certificate)
      await copyFile(worse.key, live.key)
      await eventually('the wrong name is told', async () =>
        (await state()).certificate?.problem?.code === 'CERTIFICATE_WRONG_NAME' ? true : null,
      )
      expect((await ask()).shown).toContain('new.test')
      await Promise.all([writeFile(live.key, key), writeFile(live.certificate, certificate)])
      await eventually('the pair is back', async () =>
        (await state()).certificate?.problem === null ? true : null,
      )
    })
  }, 90_000)

  it('refuses routes whose certificate cannot serve, and changes nothing', async ({ skip }) => {
    await withCertificates(bench(), skip, async (address, make) => {
      const [shop, api] = [make('shop', ['shop.test']), make('api', ['api.test'])]
      await address.put(SERVICE, { hosts: ['shop.test'], tls: shop })
      const refusalOf = async (tls: TlsFiles, hosts = ['api.test']) =>
        codeOf(await address.tryPut(API, { hosts, tls }))
      expect(await refusalOf({ ...api, key: shop.key })).toBe('TLS_KEY_MISMATCH')
      expect(await refusalOf({ ...api, key: `${api.key}.none` })).toBe('TLS_FILE_MISSING')
      expect(await refusalOf(api, ['else.test'])).toBe('CERTIFICATE_WRONG_NAME')
      expect(codeOf(await address.tryPut(API, { hosts: ['api.test'] }))).toBe('TLS_CHANGED_IN_PLACE')
      expect((await address.bench.setup.router.readState(API)).kind).toBe('ok')
      expect(await address.ask({ name: 'shop.test', host: 'shop.test' })).toMatchObject({ body: OLD })
      await address.put(API, { hosts: ['api.test'], tls: api })
      expect(await address.ask({ name: 'api.test', host: 'api.test' })).toMatchObject({ body: API })
    })
  }, 60_000)
}

type Skip = (why: string) => never
type Make = NonNullable<Bench['setup']['makeCertificate']>

async function withCertificates(
  bench: Bench,
  skip: Skip,
  work: (address: SharedAddress, make: Make) => Promise<void>,
): Promise<void> {
  const { makeCertificate } = bench.setup
  if (makeCertificate === undefined) return skip('nothing makes certificates in this set-up')
  await atAddress(bench, skip, (address) => work(address, makeCertificate))
}

/** What a client and the router agree on; `null` where they do not. */
function handshake(
  options: ConnectionOptions & { port: number },
): Promise<[string | null, string | false | null] | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      resolve([socket.getProtocol(), socket.alpnProtocol])
      socket.destroy()
    })
    socket.on('error', () => resolve(null))
  })
}
