import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fitsPattern } from '../../../core/shared/pattern.ts'
import type { RouteRule } from '../../../core/shared/side-routes.ts'
import { freePort } from '../../../testkit/free-port.ts'
import { ask, type Instance, NEW, NginxScene, OLD, skipReason, until } from './nginx.test.kit.ts'

const HOSTILE = [
  'qa',
  'QA',
  '$host',
  `$\{host}`,
  'a"b',
  "a'b",
  'a\\b',
  '\\$1',
  'a;b',
  'a{b}',
  '~^a.*',
  'default',
  'a b',
  '.*',
  '(a|b)+',
  '#x',
  'x*y',
]

/** A cookie holds no `;`, and blanks around it are not part of it. */
const inCookie = HOSTILE.filter((value) => !value.includes(';'))

describe.skipIf(skipReason !== null)('requests through nginx', () => {
  let scene: NginxScene
  let old: Instance
  let fresh: Instance
  beforeAll(async () => {
    scene = await NginxScene.open()
    old = await scene.instance(
      OLD,
      (req, res) => void res.end(req.url === '/headers' ? JSON.stringify(req.rawHeaders) : OLD),
    )
    fresh = await scene.instance(NEW)
  })
  afterAll(() => scene.remove())

  const ruled = (rules: RouteRule['match'][], more = {}) =>
    scene.routes(
      { [OLD]: [1_000, [old]], [NEW]: [0, [fresh]] },
      { rules: rules.map((match) => ({ match, release: NEW })), ...more },
    )

  it('follow rules for hostile values just as written, and no other value', async () => {
    for (const place of ['header', 'cookie'] as const) {
      const values = place === 'header' ? HOSTILE : inCookie
      const port = await scene.set(
        ruled(values.map((value, at) => ({ kind: 'exact', in: place, name: `X-t${at}`, value }))),
      )
      const sent = (at: number, value: string) =>
        place === 'header'
          ? { [`x-T${at}`]: value }
          : { cookie: `other=qa; X-t${at}=${value}; X-t${at}=second` }
      for (const [at, wanted] of values.entries())
        for (const value of new Set([...values.slice(0, 6), wanted, `${wanted}x`])) {
          const { body } = await ask({ port, headers: sent(at, value) })
          expect(body, `${place} ${value} for a rule of ${wanted}`).toBe(value === wanted ? NEW : OLD)
        }
    }
  })

  it('follow patterns as the built-in proxy does', async () => {
    const patterns = ['qa-*', '*', 'a*b*c', '*\\*', '*"*', '*$*', 'a**b']
    const values = ['qa-7', 'qa', 'abc', 'aXbYc', 'acb', 'x\\y', 'a"', '$1', 'ab', `qa-${'x'.repeat(1_100)}`]
    const port = await scene.set(
      ruled(patterns.map((pattern, at) => ({ kind: 'pattern', in: 'header', name: `X-P${at}`, pattern }))),
    )
    for (const [at, pattern] of patterns.entries())
      for (const value of values) {
        const { body } = await ask({ port, headers: { [`x-p${at}`]: value } })
        expect(body, `${value} for ${pattern}`).toBe(fitsPattern(pattern, value) ? NEW : OLD)
      }
    expect((await ask({ port })).body, 'nothing at all').toBe(OLD)
  })

  it('are counted apart where a rule or the preview sent them, and not at all as probes', async () => {
    const preview = { listen: { host: '127.0.0.1', port: await freePort() }, release: NEW }
    const port = await scene.set(
      ruled([{ kind: 'exact', in: 'cookie', name: 'team', value: 'qa' }], { preview }),
    )
    const before = await scene.counts()
    await ask({ port, headers: { cookie: 'team=qa' } })
    const shown = await ask({ port: preview.listen.port })
    expect([shown.body, shown.headers['sluice-release']]).toEqual([NEW, NEW])
    const probe = await ask({ port, headers: { 'sluice-probe': 'key', cookie: 'team=qa' } })
    expect([probe.body, probe.headers['sluice-release']]).toEqual([OLD, OLD])
    const after = await scene.counts()
    const sum = (counts: typeof after) => [
      counts.releases.reduce((all, { total }) => all + total.requests, 0),
      ...['preview', 'rule'].map(
        (by) =>
          counts.apart?.filter((one) => one.by === by).reduce((all, { total }) => all + total.requests, 0) ??
          0,
      ),
    ]
    const grown = sum(after).map((count, at) => count - (sum(before)[at] ?? 0))
    expect(grown).toEqual([0, 1, 1])
    expect((await scene.state()).preview).toEqual({ listening: preview.listen, problem: null })
  })

  it('serve the service while the port of its preview is taken, and the preview once it is free', async () => {
    const taken = old.port
    const routes = ruled([], { preview: { listen: { host: '127.0.0.1', port: taken }, release: NEW } })
    const port = await scene.set(routes)
    expect((await ask({ port })).body).toBe(OLD)
    const { preview } = await scene.state()
    expect([preview?.listening, preview?.problem?.code]).toEqual([null, 'LISTEN_FAILED'])
  })

  it('keep users on their version while its share rises, and give new ones the share', async () => {
    const sticky = { kind: 'assign', cookie: 'v', forMs: 60_000, salt: 'r1', release: NEW } as const
    const at = (permille: number) =>
      scene.routes({ [OLD]: [1_000 - permille, [old]], [NEW]: [permille, [fresh]] }, { sticky })
    let port = await scene.set(at(300))
    const users: { cookie: string; release: string }[] = []
    for (let user = 0; user < 200; user += 1) {
      const { body, headers } = await ask({ port })
      const [given = ''] = headers['set-cookie'] ?? []
      expect(given).toMatch(/^v=[0-9a-f]{8}-[0-9a-f-]{27}; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/)
      users.push({ cookie: given.split(';')[0] ?? '', release: body })
    }
    const share = users.filter(({ release }) => release === NEW).length
    expect(Math.abs(share - 60)).toBeLessThan(40)
    port = await scene.set(at(600))
    for (const { cookie, release } of users) {
      const { body, headers } = await ask({ port, headers: { cookie } })
      expect(headers['set-cookie']).toBeUndefined()
      if (release === NEW) expect(body).toBe(NEW)
    }
    port = await scene.set(
      scene.routes({ [OLD]: [1_000, [old]] }, { sticky: { kind: 'expire', cookie: 'v', forMs: 60_000 } }),
    )
    const freed = await ask({ port, headers: { cookie: users[0]?.cookie ?? '' } })
    expect(freed.headers['set-cookie']?.[0]).toMatch(/^v=; Path=\/; Max-Age=0;/)
    expect((await ask({ port })).headers['set-cookie']).toBeUndefined()
  })

  it('arrive with true words about where they come from, and without ours', async () => {
    const port = await scene.set(ruled([]))
    const { body } = await ask({
      port,
      path: '/headers',
      headers: {
        'x-forwarded-for': '9.9.9.9',
        'sluice-variant': 'a',
        'sluice-probe': 'wrong',
        x_under_score: '1',
        host: 'shop.example',
      },
    })
    const flat: string[] = JSON.parse(body)
    const got = Object.fromEntries(
      flat.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), flat[at + 1]]] : [])),
    )
    expect(got).toMatchObject({
      host: 'shop.example',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'shop.example',
      forwarded: 'for=127.0.0.1;proto=http;host="shop.example"',
      x_under_score: '1',
    })
    expect(Object.keys(got).filter((name) => name.startsWith('sluice'))).toEqual([])
  })

  it('are told by how they ended', async () => {
    const odd = await scene.instance(NEW, (req, res) => {
      if (req.url === '/reset') req.socket.destroy()
      else if (req.url === '/half') {
        res.writeHead(200, { 'content-length': 100 })
        res.write('half')
        setTimeout(() => req.socket.destroy(), 50)
      } else if (req.url !== '/hang') {
        res.statusCode = req.url === '/bad' ? 502 : 200
        res.end('x'.repeat(50))
      }
    })
    const gone = await scene.goneInstance()
    const port = await scene.set(scene.routes({ odd: [1_000, [odd]] }))
    await ask({ port })
    for (const reached of [{ path: '/bad' }, { path: '/reset', method: 'POST' }]) {
      const { status, headers } = await ask({ port, ...reached })
      expect([status, headers['sluice-error']]).toEqual([502, undefined])
    }
    await expect(ask({ port, path: '/half' })).rejects.toThrow()
    await leave(port, '/hang', () => odd.seen.some(({ url }) => url === '/hang'))
    await scene.set(scene.routes({ dead: [1_000, [gone]] }))
    const lost = await ask({ port })
    expect([lost.status, lost.headers['sluice-error']]).toEqual([502, 'INSTANCE_UNREACHABLE'])
    await scene.set(scene.routes({ pair: [1_000, [gone, odd]] }))
    for (let turn = 0; turn < 4; turn += 1) expect((await ask({ port, method: 'POST' })).status).toBe(200)
    const { releases, unroutable } = await scene.counts()
    const totalOf = (name: string) => releases.find(({ release }) => release === name)?.total
    expect(totalOf('odd')).toMatchObject({ requests: 5, errors: 3, resets: 2, clientAborts: 1 })
    expect(totalOf('odd')?.status).toMatchObject({ '2xx': 1, '5xx': 2 })
    expect(totalOf('dead')).toMatchObject({ requests: 1, connectFailures: 1 })
    expect(unroutable).toBe(1)
    expect(totalOf('pair')).toMatchObject({ requests: 4, errors: 0 })
    expect(totalOf('pair')?.retries).toBeGreaterThan(0)
  })

  it('flow as they come, up and down', async () => {
    const seen: string[] = []
    const slow = await scene.instance(OLD, (req, res) => {
      req.on('data', (chunk: Buffer) => {
        seen.push(chunk.toString())
        res.write(`got ${chunk}`)
      })
      req.on('end', () => res.end())
    })
    const port = await scene.set(scene.routes({ [OLD]: [1_000, [slow]] }))
    const upload = request({ port, method: 'POST', agent: false })
    upload.write('one')
    const [answer] = await once(upload, 'response')
    const [first] = await once(answer, 'data')
    expect(`${first}`).toBe('got one')
    upload.end('two')
    await once(answer.resume(), 'end')
    expect(seen).toEqual(['one', 'two'])
  })

  it('that no client may send are refused, and counted as that', async () => {
    const port = await scene.set(ruled([]))
    const before = (await scene.counts()).refused
    const socket = connect(port)
    socket.end('GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc')
    const [said] = await once(socket, 'data')
    expect(`${said}`).toContain(' 400 ')
    expect((await scene.counts()).refused - before).toBe(1)
  })
})

/** A client that goes away before it is answered. */
async function leave(port: number, path: string, hasArrived: () => boolean): Promise<void> {
  const call = request({ port, path, agent: false })
  call.on('error', () => undefined)
  call.end()
  await until(`${path} has arrived`, hasArrived)
  call.destroy()
}
