import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { Agent as PlainAgent } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TlsFiles } from '../../../core/shared/entry.ts'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { call, routesOf, until } from '../../../proxy/proxy-process.test.kit.ts'
import { hasOpenssl, makeCertificate, replaceCertificate } from '../../../proxy/tls/certificates.test.kit.ts'
import { knock } from '../../../testkit/conformance/router/knock.ts'
import { freeAddress } from '../../../testkit/conformance/router/shared-address.ts'
import { type Bench, codeOf, makeBench, SILENT, skipReason, unwrap } from './haproxy.test.kit.ts'
import { certificateOf } from './names.ts'

describe.skipIf(skipReason !== null || !hasOpenssl)('certificates of haproxy', () => {
  let bench: Bench
  let folder: string
  let listen: ListenAddress
  let sequence = 0
  beforeEach(async () => {
    bench = await makeBench()
    folder = mkdtempSync(join(tmpdir(), 'sluice-haproxy-tls-'))
    listen = await freeAddress()
  })
  afterEach(async () => {
    await bench.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  const make = (name: string, names = [`${name}.test`]) => makeCertificate(folder, name, { names })
  const ports = new Map<string, number>()
  async function routes(service: string, more: Partial<ServiceRoutes>): Promise<ServiceRoutes> {
    const known = ports.get(`${bench.folder} ${service}`) ?? (await bench.startInstance(service)).port
    ports.set(`${bench.folder} ${service}`, known)
    sequence += 1
    return routesOf([{ release: `${service}-1`, ports: [known] }], sequence, { service, listen, ...more })
  }
  const put = async (service: string, more: Partial<ServiceRoutes>) =>
    await bench.plane.router.setRoutes(await routes(service, more))
  const under = async (name: string, host = name) => await knock({ port: listen.port, name, host })
  const shown = async (name: string) => (await under(name)).shown

  it('are read where they are: nothing of a key is in a file of ours or in a line of the log', async () => {
    const tls = make('shop')
    const lines: string[] = []
    const said = (...all: unknown[]) => void lines.push(JSON.stringify(all))
    const log = { ...SILENT, info: said, warn: said, error: said }
    bench.plane = bench.newPlane({ log })
    unwrap(await put('shop', { hosts: ['shop.test'], tls }))
    replaceCertificate(tls, make('next', ['shop.test', 'www.shop.test']))
    await until('the new one is shown', async () => {
      await bench.state()
      return (await shown('shop.test')).includes('www')
    })
    const secret = readFileSync(tls.key, 'utf8').split('\n')[1] ?? '?'
    expect(lines.join('\n')).toContain('certificate taken over')
    const files = readdirSync(bench.folder)
      .map((name) => join(bench.folder, name))
      .filter((path) => lstatSync(path).isFile())
    expect(files.length).toBeGreaterThan(3)
    for (const text of [...files.map((path) => readFileSync(path, 'utf8')), ...lines]) {
      expect(text).not.toContain('PRIVATE KEY')
      expect(text).not.toContain(secret)
    }
    unwrap(
      await bench.plane.router.finalize({ service: 'shop', token: { epoch: 9, sequence: 1, rollout: null } }),
    )
    expect(readdirSync(bench.folder).filter((name) => /pem|crts|map/.test(name))).toEqual([])
  })

  it('are renewed without a reload, while connections stay, and HAProxy says which one it has', async () => {
    const tls = make('shop')
    unwrap(await put('shop', { hosts: ['shop.test'], tls }))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const kept = async () => await keptRequest(agent, listen.port)
    expect(await kept()).toMatchObject({ reused: false })
    const [worker, next] = [await bench.workerPid(), make('next', ['shop.test', 'www.shop.test'])]
    const fingerprint = fingerprintOf(next)
    replaceCertificate(tls, next)
    // Nobody asks for the state: who follows is the controller itself.
    await until('the new one is shown', async () => (await shown('shop.test')).includes('www'))
    expect(await bench.workerPid()).toBe(worker)
    expect(await kept()).toMatchObject({ reused: true, status: 200 })
    const answer = await bench.byHand('show ssl cert')
    const [file = ''] = /\S+\.pem/.exec(answer) ?? []
    expect(await bench.byHand(`show ssl cert ${file}`)).toContain(fingerprint)
    agent.destroy()
  })

  it('are taken over by a reload where the chain is longer than HAProxy reads in a command', async () => {
    const tls = make('shop')
    unwrap(await put('shop', { hosts: ['shop.test'], tls }))
    const [worker, next] = [await bench.workerPid(), make('next', ['shop.test', 'www.shop.test'])]
    const between = readFileSync(make('between').certificate, 'utf8')
    for (let turn = 0; turn < 40; turn += 1) appendFileSync(next.certificate, between)
    replaceCertificate(tls, next)
    await until('the new one is shown', async () => (await shown('shop.test')).includes('www'))
    expect(await bench.workerPid()).not.toBe(worker)
    // A client is shown it by the new worker before the controller has asked that worker for it.
    const told = async () => (await bench.state()).certificate
    await until('the state says so', async () => (await told())?.names.includes('www.shop.test') === true)
    expect(await told()).toMatchObject({ names: ['shop.test', 'www.shop.test'], problem: null })
  })

  it('that do not fit hold up what needs a reload, with the reason, and nothing else', async () => {
    const [tls, other] = [make('shop'), make('other')]
    unwrap(await put('shop', { hosts: ['shop.test'], tls }))
    writeFileSync(tls.key, readFileSync(other.key))
    const worker = await bench.workerPid()
    const refused = await put('api', { hosts: ['other.test'], tls: other })
    expect(codeOf(refused)).toBe('TLS_KEY_MISMATCH')
    expect(refused.kind === 'failed' && refused.problem.message).toContain('must be reloaded')
    expect([await shown('shop.test'), await bench.workerPid()]).toEqual(['DNS:shop.test', worker])
    unwrap(await put('shop', { hosts: ['shop.test'], tls }))
    // A start finds nothing that fits: this one is left out and told, the others are served.
    const plain = await freeAddress()
    writeFileSync(tls.certificate, readFileSync(other.certificate))
    unwrap(await put('plain', { listen: plain }))
    writeFileSync(tls.certificate, 'nothing')
    process.kill(await bench.masterPid(), 'SIGKILL')
    await until('nobody answers', async () => (await bench.ask('show proc')).kind === 'failed')
    unwrap(await bench.plane.router.reconcile())
    expect((await knock({ port: plain.port })).body).toBe('plain')
    expect((await bench.state()).listening).toBeNull()
    for (const kind of ['certificate', 'key'] as const) writeFileSync(tls[kind], readFileSync(other[kind]))
    unwrap(await bench.plane.router.reconcile())
    expect((await bench.state()).listening).toEqual(listen)
  })

  it('of several services are back after kill -9, and HAProxy learns by a reload which names a new one has', async () => {
    const [shop, api] = [make('shop'), make('api')]
    unwrap(await put('shop', { hosts: ['shop.test'], tls: shop }))
    unwrap(await put('api', { hosts: ['api.test'], tls: api }))
    process.kill(await bench.masterPid(), 'SIGKILL')
    await until('nobody answers', async () => (await bench.ask('show proc')).kind === 'failed')
    unwrap(await bench.newPlane().router.reconcile())
    expect([(await under('shop.test')).body, (await under('api.test')).body]).toEqual(['shop', 'api'])
    expect((await under('shop.test', 'api.test')).code).toBe('HOST_MISDIRECTED')
    replaceCertificate(shop, make('both', ['shop.test', 'api.test']))
    await until(
      'a connection for the one serves the other',
      async () => (await under('shop.test', 'api.test')).body === 'api',
    )
    expect((await under('api.test', 'shop.test')).code).toBe('HOST_MISDIRECTED')
  })

  it('are renewed without a reload also when a controller died in the middle of another renewal', async () => {
    const [shop, api, elsewhere] = [make('shop'), make('api'), await freeAddress()]
    unwrap(await put('shop', { hosts: ['shop.test'], tls: shop }))
    unwrap(await put('api', { hosts: ['api.test'], tls: api, listen: elsewhere }))
    const worker = await bench.workerPid()
    const pem = `${readFileSync(shop.certificate, 'utf8')}${readFileSync(shop.key, 'utf8')}`
    unwrap(await bench.ask(`@!${worker} set ssl cert ${certificateOf('shop')}`, pem))
    replaceCertificate(api, make('next', ['api.test', 'www.api.test']))
    const asked = { port: elsewhere.port, name: 'api.test', host: 'api.test' }
    await until('the new one is shown', async () => (await knock(asked)).shown.includes('www'))
    expect(await bench.workerPid()).toBe(worker)
  })

  it('are followed by the next controller, also when they changed while none was there', async () => {
    const tls = make('shop')
    unwrap(await put('shop', { hosts: ['shop.test'], tls }))
    await bench.plane.close()
    replaceCertificate(tls, make('next', ['shop.test', 'www.shop.test']))
    expect(await shown('shop.test')).toBe('DNS:shop.test')
    bench.plane = bench.newPlane()
    await until('the new one is shown', async () => {
      await bench.state()
      return (await shown('shop.test')).includes('www')
    })
  })
})

describe.skipIf(skipReason !== null)('limits of haproxy', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await makeBench()
  })
  afterEach(() => bench.remove())

  const put = async (service: string, more: Partial<ServiceRoutes>, sequence = 1) => {
    const { port } = await bench.startInstance(
      'v1',
      (req, res) => void req.resume().on('end', () => res.end('v1')),
    )
    unwrap(await bench.plane.router.setRoutes(routesOf([{ ports: [port] }], sequence, { service, ...more })))
    return await bench.port(service)
  }

  /** The statuses of so many requests, by so many users who each send one after the other. */
  async function statuses(port: number, users: number, each: number): Promise<Record<number, number>> {
    const agent = new PlainAgent({ keepAlive: true, maxSockets: users })
    const seen: Record<number, number> = {}
    const user = async () => {
      for (let turn = 0; turn < each; turn += 1) {
        const { status } = await call({ port, agent })
        seen[status] = (seen[status] ?? 0) + 1
      }
    }
    await Promise.all(Array.from({ length: users }, user))
    agent.destroy()
    return seen
  }

  it('let no more in a second than may be, however many come at once', async () => {
    const port = await put('shop', { limits: { rate: { perSecond: 1, burst: 1_000 } } })
    const began = performance.now()
    const { 200: entered = 0, 429: away } = await statuses(port, 32, 100)
    const refilled = Math.ceil((performance.now() - began) / 1_000)
    expect([entered >= 1_000, entered <= 1_000 + refilled, away]).toEqual([true, true, 3_200 - entered])
  })

  it('let no more in at the same time than may be, and all places are used', async () => {
    let inside = 0
    let most = 0
    const { port: at } = await bench.startInstance('v1', (req, res) => {
      inside += 1
      most = Math.max(most, inside)
      req.resume().on('end', () =>
        setImmediate(() => {
          inside -= 1
          res.end('v1')
        }),
      )
    })
    const routes = routesOf([{ ports: [at] }], 1, { limits: { requests: 8 } })
    unwrap(await bench.plane.router.setRoutes(routes))
    const port = await bench.port()
    const { 200: entered = 0, 503: away = 0 } = await statuses(port, 32, 50)
    expect([most <= 8, most > 1, entered + away, away > 0]).toEqual([true, true, 1_600, true])
    // Who was turned away has left no place behind.
    expect(await statuses(port, 8, 20)).toEqual({ 200: 160 })
  })

  it('of a body: one in pieces passes while HAProxy can see all of it, and else says its length', async () => {
    const port = await put('shop', { limits: { bodyBytes: 100_000 } })
    const piece = 'x'.repeat(1_000)
    expect((await knock({ port, body: [piece, piece, piece] })).status).toBe(200)
    expect((await knock({ port, body: 'x'.repeat(100_000) })).status).toBe(200)
    for (const pieces of [9, 40, 200]) {
      const { status, code } = await knock({ port, body: Array.from({ length: pieces }, () => piece) })
      expect([status, code], `${pieces} pieces`).toEqual([411, 'BODY_LENGTH_UNKNOWN'])
    }
    const headers = { 'x-long': 'y'.repeat(7_000) }
    const mixed = await knock({ port, headers, body: Array.from({ length: 7 }, () => piece) })
    expect(mixed.code).toBe('BODY_LENGTH_UNKNOWN')
  })

  it('are told with the name of the service, whatever stands in it', async () => {
    const name = `it's 100% "mine" \\ ü %[src]`
    const port = await put(name, { limits: { rate: { perSecond: 0.001, burst: 1 } } })
    expect((await knock({ port })).status).toBe(200)
    const over = await knock({ port })
    expect([over.code, JSON.parse(over.body).message]).toEqual([
      'RATE_EXCEEDED',
      `${name} takes 0.001 requests a second, and there were more.`,
    ])
    expect(Number(over.headers['retry-after'])).toBeGreaterThan(990)
  })

  it('that HAProxy cannot count are refused', async () => {
    const rate = { perSecond: 0.000001, burst: 10_000 }
    const refused = await bench.plane.router.setRoutes(routesOf([{ ports: [1] }], 1, { limits: { rate } }))
    expect(codeOf(refused)).toBe('ROUTER_CANNOT')
  })
})

function fingerprintOf({ certificate }: TlsFiles): string {
  const { stdout } = spawnSync('openssl', ['x509', '-in', certificate, '-outform', 'DER'])
  return createHash('sha1').update(stdout).digest('hex').toUpperCase()
}

/** A request of `shop.test` on the one connection of this agent. */
function keptRequest(agent: Agent, port: number): Promise<{ status: number; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const asked = { host: '127.0.0.1', port, agent, servername: 'shop.test', rejectUnauthorized: false }
    const req = request({ ...asked, headers: { host: 'shop.test' } }, (res) =>
      res.resume().on('end', () => resolve({ status: res.statusCode ?? 0, reused: req.reusedSocket })),
    )
    req.on('error', reject)
    req.end()
  })
}
