import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SideRoutes } from '../core/shared/side-routes.ts'
import {
  call,
  connectFails,
  makeOrigin,
  makeProxy,
  type Origin,
  type ProxyProcess,
  portOf,
  routesOf,
  until,
  useOrigins,
} from './proxy-process.test.kit.ts'

const origin = useOrigins()
let proxy: ProxyProcess
let [one, two]: [Origin | undefined, Origin | undefined] = [undefined, undefined]
let sequence = 0
beforeEach(async () => {
  proxy = await makeProxy({}, ['--trust-forwarded'])
  ;[one, two] = [await origin('v1'), await origin('v2')]
  sequence = 0
})
afterEach(() => proxy.remove())

const port = (made: Origin | undefined) => [made?.port ?? 0]

/** Stable and the candidate with this share, and whatever else there is. */
async function route(candidate: number, side: Partial<SideRoutes>): Promise<number> {
  sequence += 1
  const sets = [
    { release: 'v1', weight: 1000 - candidate, ports: port(one) },
    { release: 'v2', weight: candidate, ports: port(two) },
  ]
  return proxy.setRoutes(routesOf(sets, sequence, side))
}

const ask = async (at: number, headers: Record<string, string> = {}) => {
  const { status, body, headers: answered } = await call({ port: at, headers })
  return { status, body, cookies: answered['set-cookie'] ?? [], release: answered['sluice-release'] }
}
const previewPort = async () => (await proxy.state()).preview?.listening?.port ?? 0
const anyPort = { host: '127.0.0.1', port: 0 }

describe('preview address', () => {
  it('shows the release that it is told, and the live address stays where it was (S27)', async () => {
    const live = await route(0, { preview: { listen: anyPort, release: 'v2' } })
    await until('it listens', async () => (await previewPort()) > 0)
    const preview = await previewPort()
    expect(await ask(preview)).toMatchObject({ status: 200, body: 'v2', release: 'v2' })
    for (let turn = 0; turn < 20; turn += 1) expect((await ask(live)).body).toBe('v1')
    await route(0, { preview: { listen: anyPort, release: 'v1' } })
    expect(await previewPort()).toBe(preview)
    expect((await ask(preview)).body).toBe('v1')
    await route(0, { preview: { listen: anyPort, release: null } })
    const answered = await call({ port: preview })
    expect([answered.status, answered.headers['sluice-error']]).toEqual([503, 'NO_INSTANCE'])
    expect(answered.body).toContain('neither the candidate nor stable has a ready instance')
  })

  it('counts what it serves apart from live traffic', async () => {
    const live = await route(0, { preview: { listen: anyPort, release: 'v2' } })
    await until('it listens', async () => (await previewPort()) > 0)
    for (let turn = 0; turn < 3; turn += 1) await ask(await previewPort())
    await ask(live)
    await until('all are counted', async () => {
      const { apart, releases, unroutable, refused } = await proxy.counts()
      const totals = Object.fromEntries(releases.map(({ release, total }) => [release, total.requests]))
      return (
        apart?.[0]?.by === 'preview' &&
        apart[0].release === 'v2' &&
        apart[0].total.requests === 3 &&
        totals.v1 === 1 &&
        totals.v2 === 0 &&
        unroutable + refused === 0
      )
    })
  })

  it('is gone when it is not asked for any more, and comes back after a kill', async () => {
    await route(0, { preview: { listen: anyPort, release: 'v2' } })
    await until('it listens', async () => (await previewPort()) > 0)
    const listen = { host: '127.0.0.1', port: await previewPort() }
    await route(0, { preview: { listen, release: 'v2' } })
    await until('it listens there', async () => (await previewPort()) === listen.port)
    proxy.kill('SIGKILL')
    await proxy.exit
    await proxy.start()
    await until('it shows the candidate again', async () => (await ask(listen.port)).body === 'v2')
    await route(0, {})
    await until('nobody listens', () => connectFails(listen.port))
    expect((await proxy.state()).preview).toBeUndefined()
  })

  it('says why it does not open while its port is taken, and live traffic does not notice', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', () => resolve()))
    const listen = { host: '127.0.0.1', port: portOf(taken) }
    const live = await route(100, { preview: { listen, release: 'v2' } })
    await until('the trouble is told', async () => (await proxy.state()).preview?.problem !== null)
    const { preview } = await proxy.state()
    expect(preview?.problem).toMatchObject({ code: 'PREVIEW_LISTEN_FAILED' })
    expect(preview?.problem?.cause).toContain('EADDRINUSE')
    expect((await ask(live)).status).toBe(200)
    await new Promise<void>((resolve) => taken.close(() => resolve()))
    await until('it opens once the port is free', async () => (await previewPort()) === listen.port)
    expect((await proxy.state()).preview?.problem).toBeNull()
  })
})

const header = (name: string, value: string, release = 'v2') => ({
  match: { kind: 'exact' as const, in: 'header' as const, name, value },
  release,
})

describe('rules', () => {
  const rules: SideRoutes['rules'] = [
    header('x-tester', 'no', 'v1'),
    { match: { kind: 'pattern', in: 'header', name: 'X-Tester', pattern: '*' }, release: 'v2' },
    { match: { kind: 'pattern', in: 'cookie', name: 'group', pattern: 'qa-*' }, release: 'v2' },
  ]

  it('decide before the weights, the first that matches, whatever the weight (S42)', async () => {
    for (const weight of [0, 100, 500]) {
      const live = await route(weight, { rules })
      for (let turn = 0; turn < 10; turn += 1) {
        expect((await ask(live, { 'x-tester': 'ada' })).body).toBe('v2')
        expect((await ask(live, { 'x-tester': 'no' })).body).toBe('v1')
        expect((await ask(live, { cookie: 'a=1; group=qa-7' })).body).toBe('v2')
      }
    }
    expect((await ask(await route(0, { rules }), { cookie: 'group=users' })).body).toBe('v1')
  })

  it('are gone with the routes that had them (S43)', async () => {
    const live = await route(0, { rules })
    expect((await ask(live, { 'x-tester': 'ada' })).body).toBe('v2')
    await route(0, {})
    expect((await ask(live, { 'x-tester': 'ada' })).body).toBe('v1')
  })

  it('hold again after the proxy was killed (S44)', async () => {
    await route(0, { rules })
    proxy.kill('SIGKILL')
    await proxy.exit
    await proxy.start()
    expect((await ask(await proxy.port(), { 'x-tester': 'ada' })).body).toBe('v2')
  })

  it('count apart: who chose to be there is no fair sample', async () => {
    const live = await route(500, { rules })
    for (let turn = 0; turn < 8; turn += 1) await ask(live, { 'x-tester': 'ada' })
    await until('all are counted', async () => {
      const { apart, releases } = await proxy.counts()
      const live = releases.reduce((sum, { total }) => sum + total.requests, 0)
      return live === 0 && apart?.[0]?.by === 'rule' && apart[0].total.requests === 8
    })
  })

  it('are suspended while traffic is back on stable because no controller speaks', async () => {
    sequence += 1
    const sets = [
      { release: 'v1', weight: 500, ports: port(one) },
      { release: 'v2', weight: 500, ports: port(two) },
    ]
    const onControllerLoss = { kind: 'revert' as const, afterMs: 400 }
    const live = await proxy.setRoutes(routesOf(sets, sequence, { rules, onControllerLoss }))
    // Every look at the state would be a sign of life.
    await until('testers reach stable', async () => (await ask(live, { 'x-tester': 'ada' })).body === 'v1')
    expect((await proxy.state()).reverted).not.toBeNull()
  })

  it('refuse to point at a set that could not answer', async () => {
    await expect(route(0, { rules: [header('x-tester', '1', 'v3')] })).rejects.toThrow('active instance')
  })
})

const assign = (more = {}): SideRoutes['sticky'] => ({
  kind: 'assign',
  ...{ cookie: 'sluice-release', forMs: 3_600_000, salt: 'rollout-1', release: 'v2', ...more },
})
const pairOf = (cookies: readonly string[]) => cookies[0]?.split(';')[0] ?? ''

describe('sticky users', () => {
  it('stay where their first request went, and nobody goes back while the weights rise (S46)', async () => {
    const users = new Map<string, string>()
    let live = await route(300, { sticky: assign() })
    for (let turn = 0; turn < 120; turn += 1) {
      const first = await ask(live)
      expect(first.cookies[0]).toMatch(
        /^sluice-release=[0-9a-f-]{36}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/,
      )
      users.set(pairOf(first.cookies), first.body)
    }
    for (const weight of [300, 600]) {
      live = await route(weight, { sticky: assign() })
      for (const [cookie, before] of users) {
        const { body, cookies } = await ask(live, { cookie })
        expect(cookies).toEqual([])
        if (weight === 300) expect(body).toBe(before)
        if (before === 'v2') expect(body).toBe('v2')
        users.set(cookie, body)
      }
    }
    const moved = [...users.values()].filter((body) => body === 'v2').length
    // 60% of 120 users; so far off is less likely than 1 in 10^6.
    expect(Math.abs(moved - 72)).toBeLessThan(27)
  })

  it('are still the same after the proxy was killed', async () => {
    const live = await route(500, { sticky: assign() })
    const users = await Promise.all(Array.from({ length: 30 }, () => ask(live)))
    proxy.kill('SIGKILL')
    await proxy.exit
    await proxy.start()
    const again = await proxy.port()
    for (const user of users)
      expect((await ask(again, { cookie: pairOf(user.cookies) })).body).toBe(user.body)
  })

  it('are let go when it is over: their cookies are taken back, and no new ones are given (S47)', async () => {
    const { cookies } = await ask(await route(500, { sticky: assign() }))
    const live = await route(0, { sticky: { kind: 'expire', cookie: 'sluice-release', forMs: 60_000 } })
    const back = await ask(live, { cookie: pairOf(cookies) })
    expect(back.body).toBe('v1')
    expect(back.cookies).toEqual(['sluice-release=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax'])
    expect((await ask(live)).cookies).toEqual([])
    await route(0, {})
    expect((await ask(live, { cookie: pairOf(cookies) })).cookies).toEqual([])
  })

  it('get no cookie while there is nothing to keep apart', async () => {
    for (const weight of [0, 1000])
      expect((await ask(await route(weight, { sticky: assign() }))).cookies).toEqual([])
  })

  it('get a cookie for TLS alone when they came by TLS', async () => {
    const live = await route(500, { sticky: assign() })
    expect((await ask(live, { 'x-forwarded-proto': 'https' })).cookies[0]).toMatch(/; Secure$/)
  })

  it('get none on an answer that caches share, and what the app says stays as it is', async () => {
    const shared = await makeOrigin((_, res) => {
      res.writeHead(200, { 'cache-control': 'public, max-age=60', 'set-cookie': ['a=1', 'b=2'] })
      res.end('shared')
    })
    const own = await makeOrigin((_, res) => {
      res.writeHead(200, { 'cache-control': 'private, max-age=60', 'set-cookie': ['a=1', 'b=2'] })
      res.end('own')
    })
    sequence += 1
    const sets = [
      { release: 'v1', weight: 500, ports: [shared.port] },
      { release: 'v2', weight: 500, ports: [own.port] },
    ]
    const live = await proxy.setRoutes(routesOf(sets, sequence, { sticky: assign() }))
    const seen = new Map<string, string[]>()
    while (seen.size < 2) {
      const { body, headers } = await call({ port: live })
      seen.set(body, headers['set-cookie'] ?? [])
      expect(headers['cache-control']).toContain('max-age=60')
    }
    expect(seen.get('shared')).toEqual(['a=1', 'b=2'])
    expect(seen.get('own')?.slice(0, 2)).toEqual(['a=1', 'b=2'])
    expect(seen.get('own')?.[2]).toMatch(/^sluice-release=/)
    await Promise.all([shared.close(), own.close()])
  })

  it('that match a rule are testers and get no cookie', async () => {
    const live = await route(500, { sticky: assign(), rules: [header('x-tester', '1')] })
    expect(await ask(live, { 'x-tester': '1' })).toMatchObject({ body: 'v2', cookies: [] })
  })
})

describe('an A/B test', () => {
  const test = (more = {}): SideRoutes['sticky'] => ({
    ...{ kind: 'assign', cookie: 'sluice-ab', forMs: 3_600_000, salt: 'rollout-7', release: 'v2' },
    test: {
      by: null,
      variants: [
        { name: 'green', sharePermille: 250 },
        { name: 'blue', sharePermille: 250 },
      ],
      goal: { method: 'POST', path: '/orders/*' },
      ...more,
    },
  })
  /** Answers with the variant it was told; `/orders/refused` is none. */
  const shop = async (release: string) =>
    makeOrigin((req, res) => {
      res.statusCode = req.url === '/orders/refused' ? 422 : 200
      res.end(`${release} ${req.headers['sluice-variant'] ?? '-'}`)
    })
  let shops: Origin[] = []
  beforeEach(async () => {
    shops = [await shop('v1'), await shop('v2')]
  })
  afterEach(async () => {
    for (const one of shops) await one.close()
  })
  const routeTest = (sticky: SideRoutes['sticky'], weight = 500) => {
    sequence += 1
    const [stable, candidate] = shops.map(({ port }) => [port])
    const sets = [
      { release: 'v1', weight: 1000 - weight, ports: stable ?? [] },
      { release: 'v2', weight, ports: candidate ?? [] },
    ]
    return proxy.setRoutes(routesOf(sets, sequence, { sticky }))
  }
  const variants = async () =>
    Object.fromEntries(
      ((await proxy.counts()).variants ?? []).map(({ variant, users, goals }) => [
        variant ?? 'control',
        { users, goals },
      ]),
    )

  it('tells the candidate its variant, whatever the client says, and stable none', async () => {
    const live = await routeTest(test())
    const seen = new Map<string, number>()
    for (let turn = 0; turn < 200; turn += 1) {
      const { body } = await ask(live, { 'sluice-variant': 'mine' })
      seen.set(body, (seen.get(body) ?? 0) + 1)
    }
    expect([...seen.keys()].sort()).toEqual(['v1 -', 'v2 blue', 'v2 green'])
    expect(await variants()).toEqual({
      control: { users: seen.get('v1 -'), goals: 0 },
      green: { users: seen.get('v2 green'), goals: 0 },
      blue: { users: seen.get('v2 blue'), goals: 0 },
    })
    await routeTest(null, 1000)
    expect((await ask(live, { 'sluice-variant': 'mine' })).body).toBe('v2 -')
  })

  it('counts a user who reached the goal once, and only an answer below 400', async () => {
    const live = await routeTest(test())
    const { body, cookies } = await ask(live)
    const arm = body.split(' ')[1] === '-' ? 'control' : (body.split(' ')[1] ?? '')
    const cookie = pairOf(cookies)
    const goals = async () => (await variants())[arm]?.goals
    const order = (path: string, more = '') =>
      call({ port: live, method: 'POST', path, headers: { cookie: cookie + more } })
    expect((await order('/orders/refused')).headers['set-cookie']).toBeUndefined()
    await call({ port: live, path: '/orders/1', headers: { cookie } })
    expect(await goals()).toBe(0)
    const first = await order('/orders/1?from=mail')
    expect(first.headers['set-cookie']?.[0]).toMatch(
      /^sluice-ab-goal=rollout-7; Path=\/; Max-Age=3600; HttpOnly/,
    )
    await until('it is counted', async () => (await goals()) === 1)
    await order('/orders/2', `; ${pairOf(first.headers['set-cookie'] ?? [])}`)
    expect(await goals()).toBe(1)
    await order('/orders/3', '; sluice-ab-goal=rollout-6')
    await until('the next test counts anew', async () => (await goals()) === 2)
  })

  it('counts nothing and tells no variant while the candidate has another share than planned', async () => {
    const live = await routeTest(test(), 100)
    for (let turn = 0; turn < 30; turn += 1) expect((await ask(live)).body).toMatch(/-$/)
    expect(Object.values(await variants()).every(({ users }) => users === 0)).toBe(true)
  })

  it('keeps whoever does not say who they are with stable, uncounted', async () => {
    const live = await routeTest(test({ by: { in: 'cookie', name: 'uid' } }))
    for (let turn = 0; turn < 20; turn += 1) expect((await ask(live)).body).toBe('v1 -')
    const said = new Set<string>()
    for (let user = 0; user < 40; user += 1) {
      const cookie = `uid=${user}`
      const [one, two] = [await ask(live, { cookie }), await ask(live, { cookie })]
      expect(one).toEqual(two)
      expect(one.cookies).toEqual([])
      said.add(one.body)
    }
    expect([...said].sort()).toEqual(['v1 -', 'v2 blue', 'v2 green'])
  })

  it('is for those who fit: all others stay with stable and are counted apart (S45)', async () => {
    const where = [[{ kind: 'exact' as const, in: 'header' as const, name: 'x-country', value: 'de' }]]
    const live = await routeTest(test({ where }))
    for (let turn = 0; turn < 20; turn += 1)
      expect(await ask(live, { 'x-country': 'fr' })).toMatchObject({ body: 'v1 -', cookies: [] })
    const { releases, apart = [] } = await proxy.counts()
    expect(releases.reduce((sum, { total }) => sum + total.requests, 0)).toBe(0)
    expect(apart.map(({ by, release, total }) => [by, release, total.requests])).toEqual([['rule', 'v1', 20]])
    const seen = new Set<string>()
    for (let turn = 0; turn < 60; turn += 1) seen.add((await ask(live, { 'x-country': 'de' })).body)
    expect([...seen].sort()).toEqual(['v1 -', 'v2 blue', 'v2 green'])
  })
})
