import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closedCases } from './router/closed-cases.ts'
import { hostCases } from './router/host-cases.ts'
import { inFlightCases } from './router/in-flight-cases.ts'
import {
  type Bench,
  BLOCK,
  benchOf,
  codeOf,
  draining,
  NEW,
  OLD,
  type RouterSetup,
  SERVICE,
  token,
  unwrap,
} from './router/kit.ts'
import { limitCases } from './router/limit-cases.ts'
import { mirrorCases } from './router/mirror-cases.ts'
import { takeoverCases } from './router/takeover-cases.ts'
import { tlsCases } from './router/tls-cases.ts'
import { userCases } from './router/user-cases.ts'

/** A block is sent by so many users at once: one after the other it takes eight times as long. */
const LANES = 8

/**
 * The suite that every router passes, the fake one included.
 *
 * @example routerConformance('fake', async () => setupOf(new FakeRouter()))
 */
export function routerConformance(name: string, makeRouter: () => Promise<RouterSetup>): void {
  describe(`router conformance: ${name}`, () => {
    let setup: RouterSetup
    let bench: Bench

    beforeEach(async () => {
      setup = await makeRouter()
      bench = await benchOf(setup)
    })
    afterEach(async () => {
      await setup.cleanup()
    })

    const routes: Bench['routes'] = (...given) => bench.routes(...given)
    const state: Bench['state'] = () => bench.state()
    const weights: Bench['weights'] = () => bench.weights()
    const drainOf: Bench['drainOf'] = (release) => bench.drainOf(release)

    takeoverCases(() => bench)
    inFlightCases(() => bench)
    closedCases(() => bench)
    userCases(() => bench)
    mirrorCases(() => bench)
    hostCases(() => bench)
    tlsCases(() => bench)
    limitCases(() => bench)

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
        const lanes = await Promise.all(Array.from({ length: LANES }, () => setup.send(BLOCK / LANES)))
        const servedBy = (release: string) => lanes.reduce((sum, served) => sum + (served[release] ?? 0), 0)
        const [old, fresh] = [servedBy(OLD), servedBy(NEW)]
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

    it('tells the newer token of routes that change nothing, drained instances that leave included', async () => {
      unwrap(await setup.router.setRoutes(routes(50, 1)))
      unwrap(await setup.router.setRoutes(routes(50, 2)))
      expect((await state()).token).toEqual(token(1, 2))
      const idle = routes(0, 3)
      unwrap(await setup.router.setRoutes(draining(idle)))
      await drainOf(NEW)
      unwrap(await setup.router.setRoutes({ ...idle, token: token(1, 4), sets: idle.sets.slice(0, 1) }))
      expect((await state()).token).toEqual(token(1, 4))
      expect(await weights()).toEqual({ [OLD]: 1_000 })
    })

    it('never tells an older token again once it told a newer one, also while a change goes on', async () => {
      unwrap(await setup.router.setRoutes(routes(0, 1)))
      const told: number[] = []
      const ask = async () => {
        // A router that cannot be asked at this moment tells nothing.
        const read = await setup.router.readState(SERVICE)
        if (read.kind === 'ok') told.push(read.value.token?.sequence ?? 0)
        await pause(1)
      }
      let isOver = false
      const asking = (async () => {
        while (!isOver) await ask()
      })()
      try {
        for (let sequence = 2; sequence <= 6; sequence += 1)
          unwrap(await setup.router.setRoutes(routes(sequence * 100, sequence)))
      } finally {
        isOver = true
        await asking
      }
      await ask()
      expect(told).toEqual(told.toSorted((one, other) => one - other))
      expect([told.length > 1, told.at(-1)]).toEqual([true, 6])
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

    it('takes a repeat whose rollout is over: the token is equal, and names no rollout any more', async () => {
      unwrap(await setup.router.setRoutes(routes(50, 1)))
      const upkeep = { ...token(1, 1), rollout: null }
      unwrap(await setup.router.setRoutes(routes(50, 1, { token: upkeep })))
      expect(codeOf(await setup.router.setRoutes(routes(100, 1, { token: upkeep })))).toBe('TOKEN_REUSED')
      expect(await weights()).toEqual({ [OLD]: 950, [NEW]: 50 })
    })

    it('sends nothing new to a draining instance and reports when it is done', async () => {
      unwrap(await setup.router.setRoutes(routes(1_000, 1)))
      unwrap(await setup.router.setRoutes(draining(routes(0, 2))))
      expect(await setup.send(20)).toEqual({ [OLD]: 20 })
      const drain = await drainOf(NEW)
      expect([drain.cutTotal, drain.cut]).toEqual([0, []])
    })

    it('cuts what a drain cannot wait for, and names it', async () => {
      unwrap(await setup.router.setRoutes(routes(1_000, 1)))
      const held = await setup.hold()
      expect((await state()).instances.find(({ release }) => release === NEW)?.inFlight).toBe(1)
      unwrap(await setup.router.setRoutes(draining(routes(0, 2))))
      const drain = await drainOf(NEW)
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
      expect((await drainOf(NEW)).cutTotal).toBe(1)
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
  })
}
