import { expect, it } from 'vitest'
import { newServiceState } from '../core/rollout/state.ts'
import { ok } from '../core/shared/result.ts'
import type { RouterName } from '../core/shared/router-ability.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import type { Clock } from '../ports/clock.ts'
import type { RouterOf } from '../ports/router.ts'
import { countsOf, routerStates } from './look-at-routers.ts'

const seen = (service: string): RouterState => ({
  ...{ service, boot: '1', token: null, listening: null, sets: [], instances: [], reverted: null },
})
const never = <T>() => new Promise<T>(() => undefined)

/** HAProxy hangs; whoever waits is let go at once, and how long it would have been is noted. */
function parts(hanging: RouterName) {
  const slept: number[] = []
  const clock: Clock = {
    now: () => 7,
    monotonic: () => 7,
    sleep: async (ms) => {
      slept.push(ms)
      for (let turn = 0; turn < 20; turn += 1) await undefined
    },
  }
  const routerOf = (name: RouterName) => ({
    router: {
      kind: name,
      reconcile: async () => ok(undefined),
      setRoutes: async () => ok(undefined),
      finalize: async () => ok(undefined),
      readState: (service: string) => (name === hanging ? never() : Promise.resolve(ok(seen(service)))),
    },
    counts: { kind: name, query: () => never() },
  })
  return { routerOf: routerOf as RouterOf, clock, slept }
}
const served = (also: RouterName[]) => {
  const { traffic } = newServiceState('shop.local')
  return { traffic: { ...traffic, also } }
}

it('one of several routers that hangs is given up in time, by its name, and the other one is seen', async () => {
  const looked = await routerStates(parts('haproxy'), 'shop.local', served(['haproxy']))
  expect(looked).toMatchObject([
    { router: 'builtin', seen: { kind: 'seen' } },
    {
      router: 'haproxy',
      seen: { kind: 'failed', problem: { message: 'HAProxy does not answer within 2000 ms.' } },
    },
  ])
  expect(await countsOf(parts('haproxy'), 'shop.local', served(['haproxy']))).toMatchObject({
    kind: 'failure',
    at: 7,
    problem: { code: 'ROUTER_UNREACHABLE' },
  })
})

it('one router alone has the time it takes', async () => {
  const alone = parts('haproxy')
  expect(await routerStates(alone, 'shop.local', served([]))).toMatchObject([{ router: 'builtin' }])
  expect(alone.slept).toEqual([])
})
