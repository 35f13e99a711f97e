import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MirrorRoute } from '../../../core/shared/mirror.ts'
import { ask, type Instance, NEW, NginxScene, OLD, skipReason, until } from './nginx.test.kit.ts'

const MIRROR: MirrorRoute = {
  salt: 'r1',
  release: NEW,
  sharePermille: 1_000,
  requests: ['GET', 'POST'].map((method) => ({ method, path: '*' })),
  bodies: { kind: 'off' },
}

describe.skipIf(skipReason !== null)('copies of requests by nginx', () => {
  let scene: NginxScene
  let old: Instance
  let shadow: Instance
  beforeAll(async () => {
    scene = await NginxScene.open()
    old = await scene.instance(OLD)
    shadow = await scene.instance(NEW)
  })
  afterAll(() => scene.remove())

  const mirrored = (mirror: MirrorRoute, candidate = shadow) =>
    scene.routes({ [OLD]: [1_000, [old]], [NEW]: [0, [candidate]] }, { mirror })
  const counted = async () => (await scene.counts()).shadow

  it('arrive as they were sent, and say what they are', async () => {
    const port = await scene.set(mirrored(MIRROR))
    const headers = { cookie: 'a=1', 'x-own': '2', 'sluice-shadow': 'mine', host: 'shop.example' }
    const answer = await ask({ port, path: '/a%20b?c=$d', headers })
    expect([answer.body, answer.headers.connection]).toEqual([OLD, 'close'])
    await until('the copy is there', () => shadow.seen.length === 1)
    const [copy] = shadow.seen
    expect([copy?.url, copy?.method]).toEqual(['/a%20b?c=$d', 'GET'])
    expect(copy?.headers).toMatchObject({
      cookie: 'a=1',
      'x-own': '2',
      'sluice-shadow': '1',
      host: 'shop.example',
    })
    expect(old.seen[0]?.headers['sluice-shadow']).toBeUndefined()
  })

  it('are not made of what is too large, of probes, of upgrades, and of what a rule sends elsewhere', async () => {
    const rule = { match: { kind: 'exact', in: 'header', name: 'x-t', value: '1' } as const, release: OLD }
    const port = await scene.set({ ...mirrored({ ...MIRROR, salt: 'r2' }), rules: [rule] })
    const before = shadow.seen.length
    await ask({ port, headers: { 'content-length': '100000' }, method: 'POST', body: 'x'.repeat(100_000) })
    await ask({ port, headers: { 'sluice-probe': 'key' } })
    await ask({ port, headers: { 'x-t': '1' } })
    await ask({ port, headers: { accept: 'text/event-stream' } })
    await until('it is told', async () => (await counted())?.large === 1)
    expect((await counted())?.candidate.requests).toBe(0)
    expect(shadow.seen.length).toBe(before)
  })

  it('have whole bodies up to the limit, also where workers may not write into our folder', async () => {
    const port = await scene.set(mirrored({ ...MIRROR, salt: 'large' }))
    const before = shadow.seen.length
    const answer = await ask({ port, method: 'POST', body: 'x'.repeat(99_999) })
    expect([answer.status, answer.body]).toEqual([200, OLD])
    await until('the copy is there', () => shadow.seen.length === before + 1)
    expect(shadow.seen.at(-1)?.headers['content-length']).toBe('99999')
  })

  it('cost no user anything where nobody takes them', async () => {
    const gone = await scene.goneInstance()
    const port = await scene.set(mirrored({ ...MIRROR, salt: 'r3' }, gone))
    for (let turn = 0; turn < 5; turn += 1) expect((await ask({ port })).body).toBe(OLD)
    await until('all are told', async () => (await counted())?.candidate.requests === 5)
    expect(await counted()).toMatchObject({
      candidate: { errors: 5, connectFailures: 5 },
      stable: { requests: 5, errors: 0 },
      answered: 0,
    })
  })

  it('are refused where their bodies should be compared', async () => {
    const done = await scene.plane.router.setRoutes(mirrored({ ...MIRROR, bodies: { kind: 'exact' } }))
    expect(done.kind === 'failed' && done.problem.code).toBe('ROUTER_CANNOT')
  })
})
