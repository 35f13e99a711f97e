import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ListenAddress } from '../../core/shared/listen-address.ts'
import type { Result } from '../../core/shared/result.ts'
import type { InstanceTraffic, RouterState } from '../../core/shared/router-state.ts'
import type { RouteInstance, ServiceRoutes } from '../../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../../core/shared/side-routes.ts'
import type { FencingToken } from '../../core/shared/token.ts'
import type { Router } from '../../ports/router.ts'

/** A router under test, with everything around it that the suite needs. */
export type RouterSetup = {
  router: Router
  /** Where the service shall listen; port 0 where the router can choose one. */
  listen: ListenAddress
  /** How far a share of 1,000 requests may be off: 0 where the split is exact. */
  tolerance: number
  /** Starts an instance that answers every request with the name of its release. */
  startUpstream(release: string): Promise<RouteInstance>
  /** Sends requests one after the other and answers how many each release served. */
  send(count: number): Promise<Record<string, number>>
  /** Begins a request that its instance never answers; resolves when the instance has it. `ended` resolves when it was cut. */
  hold(): Promise<{ ended: Promise<void> }>
  /** Stops everything. */
  cleanup(): Promise<void>
}

const SERVICE = 'shop'
const OLD = 'shop@1.0.0#a'
const NEW = 'shop@1.1.0#b'
const BLOCK = 1_000
const DEADLINE_MS = 45_000

/**
 * The suite that every router passes, the fake one included.
 *
 * @example routerConformance('fake', async () => setupOf(new FakeRouter()))
 */
export function routerConformance(name: string, makeRouter: () => Promise<RouterSetup>): void {
  describe(`router conformance: ${name}`, () => {
    let setup: RouterSetup
    let instances: { old: RouteInstance; new: RouteInstance }

    beforeEach(async () => {
      setup = await makeRouter()
      unwrap(await setup.router.reconcile())
      instances = { old: await setup.startUpstream(OLD), new: await setup.startUpstream(NEW) }
    })
    afterEach(async () => {
      await setup.cleanup()
    })

    const routes = (
      newPermille: number,
      sequence: number,
      more: Partial<ServiceRoutes> = {},
    ): ServiceRoutes => ({
      service: SERVICE,
      token: token(1, sequence),
      listen: setup.listen,
      stable: OLD,
      sets: [
        { release: OLD, version: '1.0.0', weightPermille: 1_000 - newPermille, instances: [instances.old] },
        { release: NEW, version: '1.1.0', weightPermille: newPermille, instances: [instances.new] },
      ],
      drain: { requestsMs: 300, websocketsMs: 300 },
      slowStartMs: 0,
      onControllerLoss: { kind: 'hold' },
      probeKey: 'key',
      ...NO_SIDE_ROUTES,
      ...more,
    })
    const state = async (): Promise<RouterState> => unwrap(await setup.router.readState(SERVICE))
    const weights = async () =>
      Object.fromEntries((await state()).sets.map((set) => [set.release, set.weightPermille]))

    it('reads back what was set, with its token', async () => {
      unwrap(await setup.router.setRoutes(routes(50, 1)))
      const read = await state()
      expect(read.token).toEqual(token(1, 1))
      expect(read.sets).toEqual(routes(50, 1).sets)
      expect(read.listening?.port).toBeGreaterThan(0)
      expect(read.reverted).toBeNull()
    })

    it('reads an unknown service as unknown, not as an error', async () => {
      const read = unwrap(await setup.router.readState('nobody'))
      expect([read.token, read.listening, read.sets]).toEqual([null, null, []])
    })

    it.each([0, 10, 500, 990, 1_000])(
      'splits a block of requests at %i per mille for the new release',
      async (permille) => {
        unwrap(await setup.router.setRoutes(routes(permille, 1)))
        const served = await setup.send(BLOCK)
        const [old = 0, fresh = 0] = [served[OLD], served[NEW]]
        expect(old + fresh).toBe(BLOCK)
        expect(Math.abs(fresh - permille)).toBeLessThanOrEqual(
          permille === 0 || permille === BLOCK ? 0 : setup.tolerance,
        )
      },
    )

    it('follows a change with the very next request', async () => {
      for (let sequence = 1; sequence <= 6; sequence += 1) {
        const permille = sequence % 2 === 0 ? 0 : 1_000
        unwrap(await setup.router.setRoutes(routes(permille, sequence)))
        expect(await setup.send(3)).toEqual({ [permille === 0 ? OLD : NEW]: 3 })
      }
    })

    it('does the same change twice as once', async () => {
      unwrap(await setup.router.setRoutes(routes(50, 1)))
      const before = await state()
      unwrap(await setup.router.setRoutes(routes(50, 1)))
      expect({ ...(await state()), instances: [] }).toEqual({ ...before, instances: [] })
    })

    it('refuses an older epoch and an older sequence, and changes nothing', async () => {
      unwrap(await setup.router.setRoutes(routes(50, 5, { token: token(2, 5) })))
      expect(codeOf(await setup.router.setRoutes(routes(100, 9, { token: token(1, 9) })))).toBe('STALE_TOKEN')
      expect(codeOf(await setup.router.setRoutes(routes(100, 4, { token: token(2, 4) })))).toBe('STALE_TOKEN')
      expect(codeOf(await setup.router.finalize({ service: SERVICE, token: token(1, 9) }))).toBe(
        'STALE_TOKEN',
      )
      expect(await weights()).toEqual({ [OLD]: 950, [NEW]: 50 })
    })

    it('refuses an equal token for something else, and changes nothing', async () => {
      unwrap(await setup.router.setRoutes(routes(50, 1)))
      expect(codeOf(await setup.router.setRoutes(routes(100, 1)))).toBe('TOKEN_REUSED')
      expect(await weights()).toEqual({ [OLD]: 950, [NEW]: 50 })
    })

    it('sends nothing new to a draining instance and reports when it is done', async () => {
      unwrap(await setup.router.setRoutes(routes(1_000, 1)))
      unwrap(await setup.router.setRoutes(draining(routes(0, 2))))
      expect(await setup.send(20)).toEqual({ [OLD]: 20 })
      const drain = await drainOf(NEW, (found) => found.done)
      expect([drain.cutTotal, drain.cut]).toEqual([0, []])
    })

    it('cuts what a drain cannot wait for, and names it', async () => {
      unwrap(await setup.router.setRoutes(routes(1_000, 1)))
      const held = await setup.hold()
      expect((await state()).instances.find(({ release }) => release === NEW)?.inFlight).toBe(1)
      unwrap(await setup.router.setRoutes(draining(routes(0, 2))))
      const drain = await drainOf(NEW, (found) => found.done)
      await held.ended
      expect(drain.cutTotal).toBe(1)
      expect(drain.cut[0]?.kind).toBe('request')
    })

    it('treats an instance that left the table as draining, and keeps its report', async () => {
      unwrap(await setup.router.setRoutes(routes(1_000, 1)))
      const held = await setup.hold()
      const all = routes(0, 2)
      unwrap(await setup.router.setRoutes({ ...all, sets: all.sets.slice(0, 1) }))
      await held.ended
      expect((await drainOf(NEW, (found) => found.done)).cutTotal).toBe(1)
    })

    it('leaves nothing after finalize, which may be repeated', async () => {
      unwrap(await setup.router.setRoutes(routes(50, 1)))
      unwrap(await setup.router.finalize({ service: SERVICE, token: token(1, 2) }))
      unwrap(await setup.router.finalize({ service: SERVICE, token: token(1, 2) }))
      const read = await state()
      expect([read.token, read.listening, read.sets]).toEqual([null, null, []])
    })

    it('remembers the token of finalize', async () => {
      unwrap(await setup.router.setRoutes(routes(50, 1)))
      unwrap(await setup.router.finalize({ service: SERVICE, token: token(1, 3) }))
      expect(codeOf(await setup.router.setRoutes(routes(50, 2)))).toBe('STALE_TOKEN')
      unwrap(await setup.router.setRoutes(routes(50, 4)))
      expect(await weights()).toEqual({ [OLD]: 950, [NEW]: 50 })
    })

    type Drain = NonNullable<InstanceTraffic['drain']>

    async function drainOf(release: string, enough: (drain: Drain) => boolean): Promise<Drain> {
      const end = Date.now() + DEADLINE_MS
      while (Date.now() < end) {
        const drain = (await state()).instances.find((instance) => instance.release === release)?.drain
        if (drain !== null && drain !== undefined && enough(drain)) return drain
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      throw new Error(`no finished drain of ${release} within ${DEADLINE_MS} ms`)
    }
  })
}

const token = (epoch: number, sequence: number): FencingToken => ({ epoch, sequence, rollout: 'rollout-1' })

function draining(routes: ServiceRoutes): ServiceRoutes {
  const sets = routes.sets.map((set) =>
    set.weightPermille > 0
      ? set
      : { ...set, instances: set.instances.map((entry) => ({ ...entry, state: 'draining' as const })) },
  )
  return { ...routes, sets }
}

function unwrap<T>(result: Result<T>): T {
  if (result.kind === 'failed') throw new Error(`${result.problem.code}: ${result.problem.message}`)
  return result.value
}

const codeOf = (result: Result<unknown>): string =>
  result.kind === 'failed' ? result.problem.code : 'no failure'
