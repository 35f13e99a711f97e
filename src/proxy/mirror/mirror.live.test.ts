import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { MirrorRoute } from '../../core/shared/mirror.ts'
import type { ShadowCounts } from '../../core/shared/traffic-counts.ts'
import { type Answer, call, deadPort, type Origin, routesOf, until } from '../proxy-process.test.kit.ts'
import { useSharedProxy } from '../shared-proxy.test.kit.ts'

const LIMITS = {
  shadowCopies: 5,
  shadowBodyBytes: 1000,
  shadowAnswerBytes: 100_000,
  shadowTimeoutMs: 2_500,
}
const proxy = useSharedProxy(LIMITS)

type Serve = (req: IncomingMessage, res: ServerResponse) => void
const says =
  (text: string, headers: Record<string, string> = {}): Serve =>
  (_, res) =>
    res.writeHead(200, headers).end(text)
const never: Serve = () => undefined
const JSON_ANSWER = { 'content-type': 'application/json' }

const MIRROR: MirrorRoute = {
  salt: 'r1',
  release: 'v2',
  sharePermille: 1000,
  requests: ['GET', 'HEAD'].map((method) => ({ method, path: '*' })),
  bodies: { kind: 'exact' },
}

type Pair = { port: number; user: Origin; shadow: Origin; sets: Parameters<typeof routesOf>[0] }

async function shadowing(user: Serve, shadow: Serve, change: Partial<MirrorRoute> = {}): Promise<Pair> {
  const [one, two] = [await proxy.origin(user), await proxy.origin(shadow)]
  const sets = [
    { release: 'v1', ports: [one.port] },
    { release: 'v2', weight: 0, ports: [two.port] },
  ]
  const port = await proxy.setRoutes(routesOf(sets, 1, { mirror: { ...MIRROR, ...change } }))
  return { port, user: one, shadow: two, sets }
}

const counted = async (): Promise<ShadowCounts | undefined> => (await proxy.counts()).shadow
/** Waits until so many copies are accounted for, in whatever way. */
async function settled(copies: number): Promise<ShadowCounts> {
  let last: ShadowCounts | undefined
  await until(`${copies} copies are accounted for`, async () => {
    last = await counted()
    if (last === undefined) return false
    return last.candidate.requests + last.busy + last.large + last.unfinished >= copies
  })
  if (last === undefined) throw new Error('nothing was counted')
  return last
}
async function ask(
  port: number,
  times: number,
  more: Partial<Parameters<typeof call>[0]> = {},
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let turn = 0; turn < times; turn += 1) answers.push(await call({ port, ...more }))
  return answers
}
const bodiesOf = (answers: readonly Answer[]): string[] => [...new Set(answers.map(({ body }) => body))]

describe('a mirror', () => {
  it('copies requests with their headers and names them, and users see nothing of it (S40)', async () => {
    const { port, user, shadow } = await shadowing(
      says('stable', { 'x-from': 'v1' }),
      says('candidate', { 'x-from': 'v2' }),
    )
    const headers = { cookie: 'a=b', 'x-own': '1', 'sluice-shadow': 'forged' }
    const answers = await ask(port, 20, { path: '/things?id=7', headers })
    expect(bodiesOf(answers)).toEqual(['stable'])
    expect(new Set(answers.map((answer) => answer.headers['x-from']))).toEqual(new Set(['v1']))
    const shadowed = await settled(20)
    expect(shadow.seen.map(({ url }) => url)).toEqual(new Array(20).fill('/things?id=7'))
    expect(shadow.seen[0]?.headers).toMatchObject({ cookie: 'a=b', 'x-own': '1', 'sluice-shadow': '1' })
    expect(user.seen[0]?.headers['sluice-shadow']).toBeUndefined()
    expect(shadowed).toMatchObject({
      salt: 'r1',
      release: 'v2',
      answered: 20,
      statusDiffers: 0,
      bodyDiffers: 20,
    })
    expect([shadowed.candidate.requests, shadowed.stable.requests]).toEqual([20, 20])
  })

  it('keeps what it counts out of the counters of live traffic', async () => {
    const { port } = await shadowing(says('same'), says('same'))
    await ask(port, 10)
    expect(await settled(10)).toMatchObject({ answered: 10, bodyDiffers: 0 })
    const { releases } = await proxy.counts()
    const requests = Object.fromEntries(releases.map(({ release, total }) => [release, total.requests]))
    expect(requests).toEqual({ v1: 10, v2: 0 })
    const { instances } = await proxy.state()
    expect(instances.filter(({ release }) => release === 'v2').map(({ inFlight }) => inFlight)).toEqual([0])
  })

  it('copies exactly its share of a thousand', async () => {
    const { port, shadow } = await shadowing(says('same'), says('same'), { sharePermille: 350 })
    const agent = new Agent({ keepAlive: true, maxSockets: 2 })
    for (let turn = 0; turn < 500; turn += 1)
      await Promise.all([call({ port, agent }), call({ port, agent })])
    agent.destroy()
    const { candidate, busy, unfinished } = await settled(350)
    expect(candidate.requests + busy + unfinished).toBe(350)
    expect(shadow.seen.length + busy).toBe(350)
  })

  it('copies only what may be made twice, by method and path (S40)', async () => {
    const requests = [...MIRROR.requests, { method: 'POST', path: '/search/*' }]
    const { port, shadow } = await shadowing(says('same'), says('same'), { requests })
    await call({ port, method: 'POST', path: '/orders', body: 'x' })
    await call({ port, method: 'DELETE', path: '/search/1' })
    await call({ port, method: 'OPTIONS' })
    await call({ port, method: 'POST', path: '/search/all?deep=1', body: 'what' })
    await call({ port, method: 'HEAD' })
    await call({ port, headers: { 'sluice-probe': 'probe-secret' } })
    expect(await settled(2)).toMatchObject({ answered: 2, bodyDiffers: 0 })
    expect(shadow.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /search/all?deep=1',
      'HEAD /',
    ])
  })

  it('copies a body whole once it is there, and none that is larger than what is kept', async () => {
    const bodies: string[] = []
    const reading: Serve = (req, res) => {
      let text = ''
      req.on('data', (chunk) => {
        text += chunk
      })
      req.on('end', () => {
        if (req.headers['sluice-shadow'] === '1') bodies.push(text)
        res.end(String(text.length))
      })
    }
    const { port, shadow } = await shadowing(reading, reading, { requests: [{ method: 'PUT', path: '*' }] })
    const chunked = new Promise<void>((resolve) => {
      const req = request({ port, method: 'PUT' }, (res) => res.resume().on('end', resolve))
      req.write('in ')
      setTimeout(() => req.end('pieces'), 50)
    })
    await chunked
    await call({ port, method: 'PUT', body: 'small' })
    const large = 'x'.repeat(5000)
    expect((await call({ port, method: 'PUT', body: large })).body).toBe('5000')
    const streamed = await new Promise<string>((resolve) => {
      const req = request({ port, method: 'PUT' }, (res) => {
        res.on('data', (chunk) => resolve(String(chunk)))
      })
      for (let piece = 0; piece < 50; piece += 1) req.write('y'.repeat(100))
      req.end()
    })
    expect(streamed).toBe('5000')
    expect(await settled(4)).toMatchObject({ answered: 2, bodyDiffers: 0, large: 2 })
    expect(bodies.sort()).toEqual(['in pieces', 'small'])
    expect(shadow.seen.length).toBe(2)
  })

  it('makes no user wait for a shadow that hangs, and holds no more copies than it may', async () => {
    let [open, most] = [0, 0]
    const hanging: Serve = (req) => {
      open += 1
      most = Math.max(most, open)
      req.socket.on('close', () => {
        open -= 1
      })
    }
    const { port, shadow } = await shadowing(says('stable'), hanging)
    const began = performance.now()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const answers = await ask(port, 200, { agent })
    const tookMs = performance.now() - began
    agent.destroy()
    expect(bodiesOf(answers)).toEqual(['stable'])
    // If each of them had waited it would take four times as long.
    expect(tookMs).toBeLessThan((200 * LIMITS.shadowTimeoutMs) / 4)
    const { candidate, stable, busy } = await settled(200)
    expect(candidate.errors).toBe(candidate.requests)
    expect(candidate.timeouts).toBe(candidate.requests)
    expect(stable.errors).toBe(0)
    expect(busy).toBeGreaterThan(0)
    // One that is dropped may still be seen for a moment while the next one comes.
    expect(most).toBeLessThanOrEqual(2 * LIMITS.shadowCopies)
    expect(shadow.seen.length).toBe(200 - busy)
  })

  it.each([
    ['that nobody listens for', 'connectFailures', null],
    ['that breaks off', 'resets', ((req) => req.socket.destroy()) satisfies Serve],
  ] as const)('takes a shadow %s for failed, and no user for it', async (_, by, serve) => {
    const { port, sets } = await shadowing(says('stable'), serve ?? never)
    const broken =
      serve === null ? [sets[0] ?? { ports: [] }, { ...sets[1], ports: [await deadPort()] }] : sets
    const at = await proxy.setRoutes(routesOf(broken, 2, { mirror: MIRROR }))
    const answers = await ask(at === 0 ? port : at, 10)
    expect(bodiesOf(answers)).toEqual(['stable'])
    const { candidate, stable, answered } = await settled(10)
    expect([candidate.errors, candidate[by], stable.errors, answered]).toEqual([10, 10, 0, 0])
  })

  it('tells errors of the shadow from those of stable, and compares neither', async () => {
    const turns = { user: 0, shadow: 0 }
    const failing =
      (who: keyof typeof turns, of: number): Serve =>
      (_, res) => {
        turns[who] += 1
        res.writeHead(turns[who] % of === 0 ? 500 : 200).end()
      }
    const { port } = await shadowing(failing('user', 10), failing('shadow', 5))
    await ask(port, 20)
    const { candidate, stable, answered, statusDiffers } = await settled(20)
    expect([candidate.errors, stable.errors, answered, statusDiffers]).toEqual([4, 2, 16, 0])
  })

  it('notices another class of status', async () => {
    const gone: Serve = (_, res) => res.writeHead(404).end('same')
    const { port } = await shadowing(says('same'), gone, { bodies: { kind: 'off' } })
    await ask(port, 5)
    expect(await settled(5)).toMatchObject({ answered: 5, statusDiffers: 5, bodyDiffers: 0 })
  })

  it('compares JSON by its values, packed or not, and without the fields that are named', async () => {
    const gzipped = gzipSync('{"id":"b","total":7,"items":[{"at":2,"name":"x"}]}')
    const packed: Serve = (_, res) =>
      res.writeHead(200, { ...JSON_ANSWER, 'content-encoding': 'gzip' }).end(gzipped)
    const plain = says('{"items":[{"name":"x","at":1}],"total":7,"id":"a"}', JSON_ANSWER)
    const bodies = { kind: 'json' as const, ignore: ['id', 'items.*.at'], ignoresVolatile: true }
    const { port } = await shadowing(plain, packed, { bodies })
    await ask(port, 5)
    expect(await settled(5)).toMatchObject({ answered: 5, bodyDiffers: 0, bodyUnknown: 0 })
  })

  it('says of what is too large, or has no end, that it was not compared', async () => {
    const big = (turn: number): Serve => says(JSON.stringify({ turn, text: 'x'.repeat(3000) }), JSON_ANSWER)
    const bodies = { kind: 'json' as const, ignore: [], ignoresVolatile: false }
    const { port, sets } = await shadowing(big(1), big(2), { bodies })
    await ask(port, 3)
    expect(await settled(3)).toMatchObject({ answered: 3, bodyDiffers: 0, bodyUnknown: 3 })
    const huge = says('y'.repeat(300_000))
    const [one, two] = [await proxy.origin(huge), await proxy.origin(huge)]
    const at = [
      { ...sets[0], ports: [one.port] },
      { ...sets[1], ports: [two.port] },
    ]
    await proxy.setRoutes(routesOf(at, 2, { mirror: { ...MIRROR, bodies } }))
    const [answer] = await ask(port, 1)
    expect(answer?.body.length).toBe(300_000)
    expect(await settled(4)).toMatchObject({ answered: 3, unfinished: 1 })
  })

  it('ends at once with the routes that end it, and what was under way says nothing (S43)', async () => {
    const { port, shadow, sets } = await shadowing(says('stable'), never)
    await ask(port, 3)
    await until('the copies are there', () => shadow.seen.length === 3)
    await proxy.setRoutes(routesOf(sets, 2))
    expect(await settled(3)).toMatchObject({ unfinished: 3, candidate: { requests: 0 } })
    await ask(port, 5)
    expect(shadow.seen.length).toBe(3)
  })

  it('counts on where it goes on, and from zero for the next rollout', async () => {
    const { port, sets } = await shadowing(says('same'), says('same'))
    await ask(port, 3)
    await settled(3)
    await proxy.setRoutes(routesOf(sets, 2))
    await proxy.setRoutes(routesOf(sets, 3, { mirror: MIRROR }))
    await ask(port, 2)
    expect((await settled(5)).answered).toBe(5)
    await proxy.setRoutes(routesOf(sets, 4, { mirror: { ...MIRROR, salt: 'r2' } }))
    expect(await counted()).toMatchObject({ salt: 'r2', answered: 0 })
  })

  it('blames no release for copies to an instance that leaves', async () => {
    const { port, shadow, sets } = await shadowing(says('stable'), never)
    await ask(port, 2)
    await until('the copies are there', () => shadow.seen.length === 2)
    const other = await proxy.origin(says('stable'))
    const moved = [sets[0] ?? { ports: [] }, { ...sets[1], ports: [other.port] }]
    await proxy.setRoutes(routesOf(moved, 2, { mirror: MIRROR }))
    await ask(port, 1)
    expect(await settled(3)).toMatchObject({ unfinished: 2, answered: 1, candidate: { errors: 0 } })
  })

  it('goes on when clients leave in the middle', async () => {
    const slow: Serve = (_, res) => setTimeout(() => res.end('late'), 150)
    const { port } = await shadowing(slow, says('late'))
    await new Promise<void>((resolve) => {
      const req = request({ port }, () => undefined)
      req.on('error', () => resolve())
      req.end()
      setTimeout(() => req.destroy(new Error('away')), 30)
    })
    await ask(port, 1)
    expect(await settled(2)).toMatchObject({ unfinished: 1, answered: 1 })
  })
})
