import { once } from 'node:events'
import { stat, utimes, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { connect, createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knock } from '../../../testkit/conformance/router/knock.ts'
import { ask, type Instance, NEW, NginxScene, OLD, skipReason, until, unwrap } from './nginx.test.kit.ts'
import { Program } from './program.ts'

const CHANGES = 10
const USERS = 8
const EACH_MS = 25
/** Less than a reload waits. A client that the machine stalls for longer knows what it risks. */
const NEVER_RESET_MS = 250

/** Written, decoded and put in order differently: each must arrive as it was sent. */
const PATHS = [
  '/',
  '/a%2Fb%2f',
  '/a%3Fb?c=%20d&e=%3F',
  '/a//b///',
  '/a/./b/../c',
  '/a%20b+c',
  '/%25%24uri$uri',
  '/a;b=c,d',
  "/a'b%22c",
  '/%C3%A4%0A',
  '/a?',
  '/a??b#c',
  '/sluice-closing',
  '/closing',
  `/${'long/'.repeat(2_500)}`,
]

describe.skipIf(skipReason !== null)('nginx before it reloads', () => {
  let scene: NginxScene
  let old: Instance
  let fresh: Instance
  let file: string
  beforeAll(async () => {
    scene = await NginxScene.open()
    const serve = (release: string): Promise<Instance> =>
      scene.instance(release, (req, res) => void req.resume().on('end', () => res.end(release)))
    old = await serve(OLD)
    fresh = await serve(NEW)
    file = path.join(scene.folder, 'workers', 'closing')
  })
  afterAll(async () => {
    const said = await scene.file('error.log')
    await scene.remove()
    // A worker that may not look for the file says so at each request.
    expect(said).toBe('')
  })

  const at = (permille: number, more = {}) =>
    scene.routes({ [OLD]: [1_000 - permille, [old]], [NEW]: [permille, [fresh]] }, more)
  const isThere = (): Promise<boolean> =>
    stat(file).then(
      () => true,
      () => false,
    )
  const left = (): Promise<void> => writeFile(file, '')

  it(`resets no kept connection that is in use, over ${CHANGES} changes`, async () => {
    const port = await scene.set(at(0))
    const stop = new AbortController()
    const users = Array.from({ length: USERS }, () => keptUser(port, stop.signal))
    for (let change = 1; change <= CHANGES; change += 1) {
      await scene.set(at(change * 10))
      expect(await isThere()).toBe(false)
      await pause(50)
    }
    stop.abort()
    const seen = await Promise.all(users)
    expect(seen.flatMap(({ resets }) => resets.filter((idleMs) => idleMs < NEVER_RESET_MS))).toEqual([])
    for (const { answers, closed } of seen) {
      expect(closed, 'told to close').toBeGreaterThan(0)
      expect(closed, 'keeps its connection between the changes').toBeLessThan(answers)
    }
  })

  it('asks instances for paths as they came, closes each connection, and goes on as ever', async () => {
    const port = await scene.set(at(0))
    const shared = { hosts: ['shop.test'], listen: { host: '127.0.0.1', port } }
    for (const routes of [at(0), at(0, shared)]) {
      await scene.set(routes)
      for (const isClosing of [false, true]) {
        if (isClosing) await left()
        const head = `HTTP/1.1\r\nHost: shop.test\r\n${isClosing ? '' : 'Connection: close\r\n'}\r\n`
        for (const asked of PATHS) {
          const answer = await raw(port, `GET ${asked} ${head}`)
          expect([answer.split('\r\n')[0], old.seen.at(-1)?.url]).toEqual(['HTTP/1.1 200 OK', asked])
          expect(answer).toContain('\r\nConnection: close\r\n')
        }
        await raw(port, `GET http://shop.test/x%2Fy//z?a=%3F ${head}`)
        expect(old.seen.at(-1)?.url).toBe('/x%2Fy//z?a=%3F')
      }
      expect(await raw(port, 'GET /old HTTP/1.0\r\nHost: shop.test\r\n\r\n')).toContain(' 200 OK')
      await scene.plane.router.reconcile()
      expect(await isThere(), 'the next controller removes it').toBe(false)
      const kept = await ask({ port, headers: { host: 'shop.test', connection: 'keep-alive' } })
      expect(kept.headers.connection).toBe('keep-alive')
    }
  })

  it('answers by itself, copies, previews and takes bodies as ever', async () => {
    const [shadow, taken] = [await scene.instance('shadow@1'), await scene.instance('taken')]
    await taken.close()
    const service = 'cart'
    const kinds = { requests: [{ method: 'POST', path: '/*' }], sharePermille: 1_000 }
    const mirror = { ...kinds, release: 'shadow@1', salt: 'closing', bodies: { kind: 'off' as const } }
    const preview = { listen: { host: '127.0.0.1', port: taken.port }, release: NEW }
    const shares = {
      [OLD]: [1_000, [old]],
      [NEW]: [0, [fresh]],
      'shadow@1': [0, [shadow]],
    } satisfies Parameters<NginxScene['routes']>[0]
    const more = { service, paths: ['/cart'], mirror, preview, limits: { bodyBytes: 50_000 } }
    const port = await scene.set(scene.routes(shares, more))
    await left()
    const body = 'x'.repeat(40_000)
    const posted = await knock({ port, path: '/cart//%41', body, headers: { expect: '100-continue' } })
    expect([posted.status, posted.body]).toEqual([200, OLD])
    // A request that waits to be told to go on is not copied.
    await knock({ port, path: '/cart//%41', body: 'x'.repeat(10_000) })
    await until('the copy is there', () => shadow.seen.length > 0)
    expect(shadow.seen.map(({ url }) => url)).toEqual(['/cart//%41'])
    const large = await knock({ port, path: '/cart', body: 'x'.repeat(50_001) })
    expect([large.status, large.code]).toEqual([413, 'BODY_TOO_LARGE'])
    const nobodys = await knock({ port, path: '/other' })
    expect([nobodys.status, nobodys.code]).toEqual([404, 'NO_SUCH_SERVICE'])
    const shown = await knock({ port: taken.port, path: '/a//%2F' })
    expect([shown.body, fresh.seen.at(-1)?.url, shown.headers.connection]).toEqual([NEW, '/a//%2F', 'close'])
  })

  it('leaves WebSockets and event streams alone', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (head) => {
        const isUpgrade = /^upgrade: websocket/im.test(`${head}`)
        socket.write(
          isUpgrade
            ? 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'
            : 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n',
        )
        socket.on('data', (chunk) => void socket.write(chunk))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const echo = {
      ...old,
      id: 'echo',
      port: address !== null && typeof address === 'object' ? address.port : 0,
    }
    const port = await scene.set(scene.routes({ [OLD]: [1_000, [echo]] }, { service: 'chat' }))
    await left()
    const upgrade = 'Host: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /ws HTTP/1.1\r\n${upgrade}`)
    expect(`${await once(socket, 'data')}`).toContain('101 Switching Protocols')
    socket.write('ping')
    expect(`${await once(socket, 'data')}`).toBe('ping')
    const stream = connect(port, '127.0.0.1')
    stream.write('GET /s HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n')
    let said = ''
    stream.on('data', (chunk) => {
      said += chunk
    })
    await until('the first event is there', () => said.includes('data: 1'))
    // A change in the middle: both go on in their old worker.
    await scene.set(scene.routes({ [OLD]: [1_000, [old]] }, { service: 'chat' }))
    socket.write('pong')
    expect(`${await once(socket, 'data')}`).toBe('pong')
    for (const one of [socket, stream]) one.destroy()
    server.close()
  })

  it('goes on giving connections back after a change that was refused', async () => {
    const port = await scene.set(at(0))
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const program = new Program({ folder: scene.folder, binary: '/usr/sbin/nginx', log })
    const put = await program.put({ text: `${await program.text()}\nnonsense`, digest: 'f'.repeat(16) })
    expect([put.kind, await isThere()]).toEqual(['failed', false])
    expect((await ask({ port, headers: { connection: 'keep-alive' } })).headers.connection).toBe('keep-alive')
  })

  it('is not held up by what a controller left behind that was killed: a look removes it once it is old', async () => {
    await scene.set(at(0))
    await left()
    await scene.state()
    expect(await isThere(), 'a change may be under way').toBe(true)
    const before = Date.now() / 1_000 - 60
    await utimes(file, before, before)
    await scene.state()
    expect(await isThere()).toBe(false)
    // With and without a reload.
    for (let turn = 0; turn < 2; turn += 1) {
      await left()
      unwrap(await scene.plane.router.setRoutes(at(500)))
      expect(await isThere(), 'the next change removes it').toBe(false)
    }
  })
})

type User = { answers: number; closed: number; resets: number[] }

/** One that keeps a connection as long as it is told that it may, and never tries again. */
async function keptUser(port: number, signal: AbortSignal): Promise<User> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const user: User = { answers: 0, closed: 0, resets: [] }
  let askedAt = 0
  while (!signal.aborted) {
    const before = askedAt
    askedAt = performance.now()
    const call = request({ host: '127.0.0.1', port, agent })
    call.end()
    try {
      const [answer] = await once(call, 'response')
      if (answer.headers.connection === 'close') user.closed += 1
      await once(answer.resume(), 'end')
      user.answers += 1
    } catch {
      user.resets.push(askedAt - before)
    }
    await pause(EACH_MS)
  }
  agent.destroy()
  return user
}

/** Just these bytes, and all that is answered until the connection ends. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(text)
  await once(socket, 'end')
  socket.destroy()
  return Buffer.concat(chunks).toString()
}
