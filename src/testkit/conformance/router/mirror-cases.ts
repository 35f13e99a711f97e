import { expect, it } from 'vitest'
import type { MirrorRoute } from '../../../core/shared/mirror.ts'
import type { ShadowCounts } from '../../../core/shared/traffic-counts.ts'
import { type Bench, eventually, NEW, OLD, SERVICE, unwrap } from './kit.ts'

const MIRROR: MirrorRoute = {
  salt: 'rollout-1',
  release: NEW,
  sharePermille: 1_000,
  requests: [
    { method: 'GET', path: '*' },
    { method: 'POST', path: '/search/*' },
  ],
  bodies: { kind: 'off' },
}
const REQUESTS = 30
/** A user who had to wait for a shadow would wait for this long at least. */
const SHADOW_MS = 1_500

/** Copies of requests go to a release that no user meets. */
export function mirrorCases(bench: () => Bench): void {
  it('copies a share of the requests that may be copied, and users get the answers of stable alone (S40)', async ({
    skip,
  }) => {
    const { visit, put, shadow } = withCopies(bench(), skip)
    await put(MIRROR)
    for (let turn = 0; turn < REQUESTS; turn += 1) {
      const writes = turn % 3 === 0
      const path = writes ? `/search/${turn}` : `/read?turn=${turn}`
      const got = await visit({ method: writes ? 'POST' : 'GET', path, ...(writes ? { body: 'words' } : {}) })
      expect(got).toMatchObject({ status: 200, body: OLD })
    }
    // Of these none may be made twice: they write, or nobody knows how large they are.
    for (let turn = 0; turn < 5; turn += 1) await visit({ method: 'POST', path: '/orders', body: 'one' })
    expect((await visit({ path: '/fail' })).status).toBe(500)
    const counted = await eventually('all copies are counted', async () => {
      const counts = await shadow()
      return (counts?.candidate.requests ?? 0) > REQUESTS ? counts : null
    })
    expect(counted).toMatchObject({
      ...{ salt: MIRROR.salt, release: NEW, answered: REQUESTS, statusDiffers: 0, bodyDiffers: 0 },
      candidate: { requests: REQUESTS + 1, errors: 1 },
      stable: { requests: REQUESTS + 1, errors: 1 },
    })
    const { routes } = bench()
    await put({ ...MIRROR, salt: 'rollout-2', sharePermille: 300 })
    for (let turn = 0; turn < 100; turn += 1) await visit({})
    const some = await eventually('a share of them is counted', async () => {
      const counts = await shadow('rollout-2')
      return (counts?.candidate.requests ?? 0) > 8 ? counts : null
    })
    expect(some.candidate.requests).toBeLessThan(65)
    unwrap(await bench().setup.router.setRoutes(routes(0, 9)))
    const before = (await shadow('rollout-2'))?.candidate.requests
    for (let turn = 0; turn < 20; turn += 1) await visit({})
    expect((await shadow('rollout-2'))?.candidate.requests).toBe(before)
  })

  it('lets nobody wait for a shadow that is slow', async ({ skip }) => {
    const { visit, put, shadow } = withCopies(bench(), skip)
    await put(MIRROR)
    const slow = { path: `/slow-shadow/${encodeURIComponent(NEW)}/${SHADOW_MS}`, isKept: true }
    for (let turn = 0; turn < 6; turn += 1) {
      const began = performance.now()
      expect(await visit(slow)).toMatchObject({ status: 200, body: OLD })
      expect(performance.now() - began).toBeLessThan(SHADOW_MS / 2)
    }
    const counted = await eventually('the slow copies are counted', async () => {
      const counts = await shadow()
      return (counts?.candidate.requests ?? 0) >= 6 ? counts : null
    })
    expect([counted.candidate.requests, counted.candidate.errors]).toEqual([6, 0])
    const p50 = (counts: { latencyBuckets: number[] }) =>
      counts.latencyBuckets.findIndex((count) => count > 0)
    expect(p50(counted.candidate)).toBeGreaterThan(p50(counted.stable))
  })
}

function withCopies({ setup, routes }: Bench, skip: (why: string) => never) {
  const { visit } = setup
  if (visit === undefined) return skip('no requests of its own in this set-up')
  let sequence = 0
  return {
    visit: (given: Parameters<typeof visit>[0]) => visit(given),
    async put(mirror: MirrorRoute) {
      sequence += 1
      const done = await setup.router.setRoutes(routes(0, sequence, { mirror }))
      if (done.kind === 'failed' && done.problem.code === 'ROUTER_CANNOT') skip(done.problem.message)
      unwrap(done)
    },
    async shadow(salt = MIRROR.salt): Promise<ShadowCounts | null> {
      const answer = await setup.counts?.query(SERVICE)
      const counts = answer?.kind === 'samples' ? answer.counts.shadow : undefined
      return counts?.salt === salt ? counts : null
    },
  }
}
