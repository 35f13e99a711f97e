import { once } from 'node:events'
import {
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TlsFiles } from '../../../core/shared/entry.ts'
import { hasOpenssl, makeCertificate, WITHOUT_OPENSSL } from '../../../proxy/tls/certificates.test.kit.ts'
import { knock } from '../../../testkit/conformance/router/knock.ts'
import { ask, NEW, NginxScene, OLD, skipReason, until, unwrap } from './nginx.test.kit.ts'
import { findMaster, workersOf } from './processes.ts'

describe.skipIf(skipReason !== null)('limits of a service behind nginx', () => {
  let scene: NginxScene
  beforeEach(async () => {
    scene = await NginxScene.open()
  })
  afterEach(() => scene.remove())

  it('lose no place with a worker that dies in the middle of requests', async () => {
    const mute = await scene.instance(OLD, () => undefined)
    const limits = { requests: 2 }
    const port = await scene.set(scene.routes({ [OLD]: [1_000, [mute]] }, { limits }))
    const held = [hold(port), hold(port)]
    await until('both are there', () => mute.seen.length === 2)
    expect((await ask({ port })).status).toBe(503)
    const master = await scene.master()
    const before = await workersOf({ pid: master, id: '' })
    for (const { pid } of before) process.kill(pid, 'SIGKILL')
    await Promise.all(held)
    // Both places are free again: as many requests reach the instance as may.
    await until('the limit counts anew', async () => {
      await scene.state()
      const again = [hold(port), hold(port)]
      const seen = mute.seen.length
      const came = await Promise.race([
        until('two more came', () => mute.seen.length >= seen + 2).then(
          () => true,
          () => false,
        ),
        Promise.all(again).then(() => false),
      ])
      return came
    })
    expect((await ask({ port })).status).toBe(503)
  })

  it('leave what somebody changed by hand as it is, also when a worker died', async () => {
    const [old, fresh] = [await scene.instance(OLD), await scene.instance(NEW)]
    await scene.set(scene.routes({ [OLD]: [500, [old]], [NEW]: [500, [fresh]] }, { limits: { requests: 2 } }))
    const file = path.join(scene.folder, 'nginx.conf')
    await writeFile(file, (await readFile(file, 'utf8')).replace('50% ', '75% '))
    await scene.reloadByHand()
    for (let look = 0; look < 3; look += 1)
      expect((await scene.state()).sets.map(({ weightPermille }) => weightPermille)).toEqual([750, 250])
    expect(await readFile(file, 'utf8')).toContain('75% ')
  })

  it('hold for bodies at the preview, too, where places and rates do not', async () => {
    const { port: at } = await scene.instance('taken')
    await scene.instances.at(-1)?.close()
    const fresh = await scene.instance(NEW, (req, res) => void req.resume().on('end', () => res.end(NEW)))
    const preview = { listen: { host: '127.0.0.1', port: at }, release: NEW }
    const limits = { bodyBytes: 1_024, rate: { perSecond: 0.05, burst: 1 } }
    await scene.set(scene.routes({ [NEW]: [1_000, [fresh]] }, { limits, preview }))
    for (let turn = 0; turn < 3; turn += 1) expect((await ask({ port: at })).body).toBe(NEW)
    expect(await knock({ port: at, body: 'x'.repeat(1_025) })).toMatchObject({
      status: 413,
      code: 'BODY_TOO_LARGE',
    })
  })

  it('count a body that turns out too large at its instance as refused, and not for the release', async () => {
    const made = await scene.instance(OLD, (req) => void req.resume())
    const port = await scene.set(scene.routes({ [OLD]: [1_000, [made]] }, { limits: { bodyBytes: 1_024 } }))
    const before = await scene.counts()
    const upload = request({ host: '127.0.0.1', port, method: 'POST', agent: false })
    upload.on('error', () => undefined)
    const answered = once(upload, 'response')
    upload.write('x'.repeat(1_000))
    await until('the instance has the first piece', () => made.seen.length === 1)
    upload.end('x'.repeat(1_000))
    const [res] = await answered
    expect([res.statusCode, res.headers['content-type']]).toEqual([413, 'application/problem+json'])
    res.resume()
    await until('it is counted', async () => (await scene.counts()).refused === before.refused + 1)
    const { releases, unroutable } = await scene.counts()
    expect([releases.flatMap(({ total }) => total.requests), unroutable]).toEqual([[], before.unroutable])
  })

  it('hold for event streams and WebSockets as for other requests', async () => {
    const made = await scene.instance(OLD)
    const limits = { rate: { perSecond: 0.05, burst: 1 } }
    const port = await scene.set(scene.routes({ [OLD]: [1_000, [made]] }, { limits }))
    expect((await ask({ port })).status).toBe(200)
    const stream = await knock({ port, headers: { accept: 'text/event-stream' } })
    expect([stream.status, stream.code]).toEqual([429, 'RATE_EXCEEDED'])
  })
})

describe.skipIf(skipReason !== null)('a shared address of nginx', () => {
  let scene: NginxScene
  beforeEach(async () => {
    scene = await NginxScene.open()
  })
  afterEach(() => scene.remove())

  it('copies requests of one service to its shadow as they came, and of no other', async () => {
    const body = (name: string) => (_: unknown, res: { end(text: string): void }) => res.end(name)
    const [old, shadow] = [await scene.instance(OLD, body(OLD)), await scene.instance(NEW, body(NEW))]
    const other = await scene.instance('cart@1', body('cart'))
    const salt = 'try'
    const mirror = {
      ...{ release: NEW, salt, sharePermille: 1_000, requests: [{ method: 'GET', path: '/*' }] },
      bodies: { kind: 'off' as const },
    }
    const port = await scene.set(
      scene.routes({ [OLD]: [1_000, [old]], [NEW]: [0, [shadow]] }, { hosts: ['shop.test'], mirror }),
    )
    const listen = { host: '127.0.0.1', port }
    await scene.set(
      scene.routes({ [OLD]: [1_000, [old]], [NEW]: [0, [shadow]] }, { listen, hosts: ['shop.test'], mirror }),
    )
    await scene.set(
      scene.routes({ 'cart@1': [1_000, [other]] }, { service: 'cart', listen, paths: ['/cart'] }),
    )
    const url = '/a/%61/../b?x=1'
    expect((await knock({ port, host: 'shop.test', path: url })).body).toBe(OLD)
    await until('the copy came', () => shadow.seen.length === 1)
    expect([shadow.seen[0]?.url, shadow.seen[0]?.headers.host]).toEqual([url, 'shop.test'])
    expect((await knock({ port, host: 'shop.test', path: '/cart/1' })).body).toBe(OLD)
    expect((await knock({ port, path: '/cart/1' })).body).toBe('cart')
    expect((await knock({ port, host: 'shop.test', path: '/cart' })).status).toBe(200)
    await until('three were copied', () => shadow.seen.length === 3)
  })

  it('is there again after kill -9 of all of nginx', async () => {
    const [shop, cart] = [await scene.instance('shop@1'), await scene.instance('cart@1')]
    const port = await scene.set(scene.routes({ 'shop@1': [1_000, [shop]] }, { hosts: ['shop.test'] }))
    const listen = { host: '127.0.0.1', port }
    await scene.set(scene.routes({ 'shop@1': [1_000, [shop]] }, { hosts: ['shop.test'], listen }))
    await scene.set(scene.routes({ 'cart@1': [1_000, [cart]] }, { service: 'cart', listen }))
    await killAll(scene)
    unwrap(await scene.plane.router.reconcile())
    expect((await knock({ port, host: 'shop.test' })).body).toBe('shop@1')
    expect((await knock({ port })).body).toBe('cart@1')
  })
})

const withoutTls = skipReason ?? (hasOpenssl ? null : WITHOUT_OPENSSL)
describe.skipIf(withoutTls !== null)(
  `TLS behind nginx${withoutTls === null ? '' : `: ${withoutTls}`}`,
  () => {
    let scene: NginxScene
    let folder: string
    let files: TlsFiles
    let next: TlsFiles
    beforeEach(async () => {
      scene = await NginxScene.open()
      folder = await mkdtemp(path.join(tmpdir(), 'sluice-nginx-tls-'))
      files = makeCertificate(folder, 'shop $1', { names: ['shop.test'] })
      next = makeCertificate(folder, 'next', { names: ['shop.test', 'new.test'] })
    })
    afterEach(async () => {
      await scene.remove()
      await rm(folder, { recursive: true, force: true })
    })

    const secure = (port: number) => knock({ port, name: 'shop.test', host: 'shop.test' })

    it('never copies a key, and refuses one whose path nginx would misread', async () => {
      const made = await scene.instance(OLD)
      const routes = (tls: TlsFiles) => scene.routes({ [OLD]: [1_000, [made]] }, { tls })
      const refused = await scene.plane.router.setRoutes(routes(files))
      expect(refused.kind === 'failed' && refused.problem).toMatchObject({
        code: 'ROUTER_CANNOT',
        message: expect.stringContaining('shop $1.key'),
      })
      const key = path.join(folder, 'k "ey".pem')
      await rename(files.key, key)
      const port = await scene.set(routes({ ...files, key }))
      expect((await secure(port)).shown).toBe('DNS:shop.test')
      const all = await readdir(scene.folder, { recursive: true, withFileTypes: true })
      const texts = await Promise.all(
        all.filter((one) => one.isFile()).map((one) => readFile(path.join(one.parentPath, one.name), 'utf8')),
      )
      const secret = (await readFile(key, 'utf8')).split('\n')[1] ?? '?'
      expect(texts.some((text) => text.includes('PRIVATE') || text.includes(secret))).toBe(false)
    })

    it('says whose key keeps nginx from a change of another service, and goes on once it fits', async () => {
      const [old, fresh] = [await scene.instance(OLD), await scene.instance(NEW)]
      const tls = { ...files, key: path.join(folder, 'shop.key') }
      await rename(files.key, tls.key)
      const port = await scene.set(scene.routes({ [OLD]: [1_000, [old]] }, { tls }))
      const cart = (shares: Record<string, [number, (typeof old)[]]>) =>
        scene.routes(shares, { service: 'cart' })
      const cartPort = await scene.set(cart({ [OLD]: [1_000, [old]] }))
      await copyFile(next.key, tls.key)
      const refused = await scene.plane.router.setRoutes(cart({ [NEW]: [1_000, [fresh]] }))
      expect(refused.kind === 'failed' && refused.problem).toMatchObject({
        code: 'ROUTER_REFUSED',
        message: expect.stringContaining('shop'),
        cause: expect.stringContaining(tls.key),
        retryable: true,
      })
      expect((await ask({ port: cartPort })).body).toBe(OLD)
      expect((await secure(port)).body).toBe(OLD)
      // Both are new now: a change that comes before anybody looked at the files takes them along.
      await copyFile(next.certificate, tls.certificate)
      await scene.set(cart({ [NEW]: [1_000, [fresh]] }))
      expect((await ask({ port: cartPort })).body).toBe(NEW)
      expect((await secure(port)).shown).toContain('new.test')
      expect((await scene.state()).certificate?.problem).toBeNull()
    })

    it('is back after kill -9 with the certificate that was in use, whatever is in its file by then', async () => {
      const made = await scene.instance(OLD)
      const tls = { ...files, key: path.join(folder, 'shop.key') }
      await rename(files.key, tls.key)
      const port = await scene.set(scene.routes({ [OLD]: [1_000, [made]] }, { tls }))
      await unlink(tls.certificate)
      await killAll(scene)
      const other = scene.secondPlane()
      unwrap(await other.router.reconcile())
      expect((await secure(port)).shown).toBe('DNS:shop.test')
      await until('the missing file is told', async () => {
        const { certificate } = unwrap(await other.router.readState('shop'))
        return certificate?.problem?.code === 'TLS_FILE_MISSING'
      })
    })

    it('serves the others after kill -9 while a key does not fit, says so, and serves all once it does', async () => {
      const [old, fresh] = [await scene.instance(OLD), await scene.instance(NEW)]
      const tls = { ...files, key: path.join(folder, 'shop.key') }
      await rename(files.key, tls.key)
      const routes = scene.routes({ [OLD]: [1_000, [old]] }, { tls })
      await scene.set(routes)
      const cart = (shares: Record<string, [number, (typeof old)[]]>) =>
        scene.routes(shares, { service: 'cart' })
      const cartPort = await scene.set(cart({ [OLD]: [1_000, [old]] }))
      const kept = path.join(folder, 'kept')
      await copyFile(tls.key, kept)
      await copyFile(next.key, tls.key)
      await killAll(scene)
      unwrap(await scene.plane.router.reconcile())
      expect((await ask({ port: cartPort })).body).toBe(OLD)
      await scene.set(cart({ [NEW]: [1_000, [fresh]] }))
      expect((await ask({ port: cartPort })).body).toBe(NEW)
      const again = await scene.plane.router.setRoutes(routes)
      expect(again.kind === 'failed' && again.problem).toMatchObject({
        code: 'TLS_KEY_MISMATCH',
        message: expect.stringContaining('cannot serve shop'),
        retryable: true,
      })
      await until(
        'it is told',
        async () => (await scene.state()).certificate?.problem?.code === 'TLS_KEY_MISMATCH',
      )
      expect((await scene.state()).token).toBeNull()
      await copyFile(kept, tls.key)
      await until('all are served', async () => (await scene.state()).token !== null)
      expect(await scene.state()).toMatchObject({ token: routes.token, certificate: { problem: null } })
      expect((await secure(await scene.port())).body).toBe(OLD)
    })

    it('follows links that are switched, and needs no new key for a change meanwhile', async () => {
      const [old, fresh] = [await scene.instance(OLD), await scene.instance(NEW)]
      const tls = { certificate: path.join(folder, 'live.pem'), key: path.join(folder, 'live.key') }
      await symlink(files.certificate, tls.certificate)
      const first = path.join(folder, 'first.key')
      await rename(files.key, first)
      await symlink(first, tls.key)
      const port = await scene.set(scene.routes({ [OLD]: [1_000, [old]] }, { tls }))
      await unlink(tls.key)
      await symlink(next.key, tls.key)
      await scene.set(scene.routes({ [NEW]: [1_000, [fresh]] }, { tls }))
      expect(await secure(port)).toMatchObject({ body: NEW, shown: 'DNS:shop.test' })
      await unlink(tls.certificate)
      await symlink(next.certificate, tls.certificate)
      await until('the new one is shown', async () => (await secure(port)).shown.includes('new.test'))
      await until('the old copy is gone', async () => {
        const left = await readdir(path.join(scene.folder, 'certificates'))
        return left.length === 1
      })
    })
  },
)

/** As when the machine runs out of memory; resolves when nothing of it is left. */
async function killAll(scene: NginxScene): Promise<void> {
  const pid = await scene.master()
  for (const one of [{ pid }, ...(await workersOf({ pid, id: '' }))]) process.kill(one.pid, 'SIGKILL')
  const configuration = path.join(scene.folder, 'nginx.conf')
  await until('the master is gone', async () => (await findMaster(configuration, pid)) === null)
}

/** A request that its instance never answers. */
async function hold(port: number): Promise<void> {
  const held = request({ host: '127.0.0.1', port, agent: false })
  held.on('error', () => undefined)
  held.end()
  await Promise.race([once(held, 'response').then(([res]) => void res.resume()), once(held, 'close')]).catch(
    () => undefined,
  )
}
