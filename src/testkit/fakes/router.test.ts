import { describe, expect, it } from 'vitest'
import { problem } from '../../core/shared/problem.ts'
import type { ServiceRoutes } from '../../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../../core/shared/side-routes.ts'
import { routerConformance } from '../conformance/router.ts'
import { FakeRouter } from './router.ts'

routerConformance('fake', async () => {
  const router = new FakeRouter()
  let port = 9_000
  return {
    router,
    listen: { host: '127.0.0.1', port: 0 },
    tolerance: 0,
    startUpstream: async () => {
      port += 1
      return { id: `i-${port}`, host: '127.0.0.1', port, state: 'active' }
    },
    send: async (count) => router.send('shop', count),
    hold: async () => {
      const held = router.hold('shop')
      // The fake cuts when its state is read.
      return { ended: Promise.race([held.ended, readUntilCut(router)]) }
    },
    second: async () => router,
    edit: async (weights) => router.editFromOutside('shop', weights),
    takenAddress: async () => {
      router.refuseNext(BROKEN)
      return { host: '127.0.0.1', port: 80 }
    },
    turnedAway: async () => router.turnedAway('shop'),
    cleanup: async () => undefined,
  }
})

async function readUntilCut(router: FakeRouter): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  await router.readState('shop')
}

const BROKEN = problem('ROUTER_UNREACHABLE', {
  message: 'broken by the test',
  remedy: 'none',
  retryable: true,
})

const routes = (permille: number, sequence: number): ServiceRoutes => ({
  service: 'shop',
  token: { epoch: 1, sequence, rollout: null },
  listen: { host: '127.0.0.1', port: 8080 },
  stable: 'a',
  sets: ['a', 'b'].map((release) => ({
    release,
    version: release,
    weightPermille: release === 'b' ? permille : 1_000 - permille,
    instances: [{ id: '1', host: '127.0.0.1', port: 9_000, state: 'active' }],
  })),
  drain: { requestsMs: 0, websocketsMs: 0 },
  slowStartMs: 0,
  onControllerLoss: { kind: 'hold' },
  probeKey: 'key',
  ...NO_SIDE_ROUTES,
})

async function weightsOf(router: FakeRouter): Promise<number[]> {
  const state = await router.readState('shop')
  return state.kind === 'ok' ? state.value.sets.map((set) => set.weightPermille) : []
}

describe('fake router', () => {
  it('refuses once on demand, changes nothing, and records the attempt', async () => {
    const router = new FakeRouter(() => 7)
    router.refuseNext(BROKEN)
    expect((await router.setRoutes(routes(50, 1))).kind).toBe('failed')
    expect(await weightsOf(router)).toEqual([])
    expect((await router.setRoutes(routes(50, 1))).kind).toBe('ok')
    expect(router.writes.map(({ at, outcome }) => [at, outcome])).toEqual([
      [7, 'ROUTER_UNREACHABLE'],
      [7, 'ok'],
    ])
  })

  it('applies a half on demand, and the whole although its answer is lost', async () => {
    const router = new FakeRouter()
    await router.setRoutes(routes(50, 1))
    router.halfApplyNext(BROKEN)
    expect((await router.setRoutes(routes(100, 2))).kind).toBe('failed')
    expect(await weightsOf(router)).toEqual([900, 50])
    router.applyThenFailNext(BROKEN)
    expect((await router.setRoutes(routes(100, 2))).kind).toBe('failed')
    expect(await weightsOf(router)).toEqual([900, 100])
    expect((await router.setRoutes(routes(100, 2))).kind).toBe('ok')
  })

  it('waits on demand', async () => {
    const router = new FakeRouter()
    const release = router.delayNext()
    const pending = router.setRoutes(routes(50, 1))
    expect(await weightsOf(router)).toEqual([])
    release()
    await pending
    expect(await weightsOf(router)).toEqual([950, 50])
  })

  it('can be edited and reverted from outside, and be out of reach', async () => {
    const router = new FakeRouter()
    await router.setRoutes(routes(50, 1))
    router.editFromOutside('shop', { a: 500, b: 500 })
    expect(await weightsOf(router)).toEqual([500, 500])
    router.revertFromOutside('shop')
    expect(await weightsOf(router)).toEqual([1_000, 0])
    router.setUnreachable(BROKEN)
    expect((await router.readState('shop')).kind).toBe('failed')
  })
})
