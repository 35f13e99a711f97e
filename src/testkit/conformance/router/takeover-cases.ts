import { expect, it } from 'vitest'
import type { Router } from '../../../ports/router.ts'
import { type Bench, codeOf, NEW, OLD, SERVICE, token, unwrap } from './kit.ts'

/** Milliseconds after the call began at which its controller dies: before, while and after it acts. */
const DEATHS_MS = [0, 1, 3, 8, 20, 60, 150]

/** Two controllers, one after the other or both at once, and one that dies in the middle. */
export function takeoverCases(bench: () => Bench): void {
  it('reads back for another controller what the first one set', async ({ skip }) => {
    const { routes, state, second } = others(bench(), skip)
    unwrap(await bench().setup.router.setRoutes(routes(50, 1)))
    const read = await state(await second())
    expect([read.token, read.sets]).toEqual([token(1, 1), routes(50, 1).sets])
  })

  it('obeys the newer epoch of another controller, and refuses the one that was replaced', async ({
    skip,
  }) => {
    const { routes, weights, setup, second } = others(bench(), skip)
    unwrap(await setup.router.setRoutes(routes(50, 7)))
    const newer = await second()
    unwrap(await newer.setRoutes(routes(200, 1, { token: token(2, 1) })))
    expect(codeOf(await setup.router.setRoutes(routes(900, 8)))).toBe('STALE_TOKEN')
    expect(codeOf(await setup.router.finalize({ service: SERVICE, token: token(1, 9) }))).toBe('STALE_TOKEN')
    expect(await weights(newer)).toEqual({ [OLD]: 800, [NEW]: 200 })
  })

  it('ends at the highest token when changes come at the same time, from both', async ({ skip }) => {
    const { routes, state, weights, setup, second } = others(bench(), skip)
    const callers: Router[] = [setup.router, await second()]
    const sequences = [3, 1, 6, 2, 5, 4]
    const results = await Promise.all(
      sequences.map((sequence, index) =>
        callers[index % callers.length]?.setRoutes(routes(sequence * 100, sequence)),
      ),
    )
    const codes = results.map((result) => (result === undefined ? 'not sent' : codeOf(result)))
    expect(codes.filter((code) => code !== 'no failure' && code !== 'STALE_TOKEN')).toEqual([])
    expect((await state()).token).toEqual(token(1, 6))
    expect(await weights()).toEqual({ [OLD]: 400, [NEW]: 600 })
    expect(await setup.send(200)).toMatchObject({ [OLD]: expect.any(Number), [NEW]: expect.any(Number) })
  })

  it('is set right by the next change, whenever the controller before died in its own', async ({ skip }) => {
    const { routes, weights, setup } = bench()
    const { killedIn } = setup
    if (killedIn === undefined) return skip('its calls cannot be killed in this set-up')
    unwrap(await setup.router.setRoutes(routes(0, 1)))
    let sequence = 1
    for (const afterMs of DEATHS_MS) {
      sequence += 2
      await killedIn(routes(1_000, sequence - 1), afterMs)
      const served = await setup.send(4)
      expect((served[OLD] ?? 0) + (served[NEW] ?? 0), `killed after ${afterMs} ms`).toBe(4)
      unwrap(await setup.router.setRoutes(routes(0, sequence)))
      expect(await weights()).toEqual({ [OLD]: 1_000, [NEW]: 0 })
      expect(await setup.send(4)).toEqual({ [OLD]: 4 })
    }
  })

  it('shows weights that somebody else wrote, and sets them right with the next change', async ({ skip }) => {
    const { routes, weights, setup } = bench()
    if (setup.edit === undefined) return skip('nobody but a controller can write weights here')
    unwrap(await setup.router.setRoutes(routes(50, 1)))
    await setup.edit({ [OLD]: 500, [NEW]: 500 })
    expect(await weights()).toEqual({ [OLD]: 500, [NEW]: 500 })
    unwrap(await setup.router.setRoutes(routes(50, 2)))
    expect(await weights()).toEqual({ [OLD]: 950, [NEW]: 50 })
  })

  it('keeps the routes in force when the new ones are refused', async ({ skip }) => {
    const { routes, state, setup } = bench()
    if (setup.takenAddress === undefined) return skip('it listens nowhere of its own')
    unwrap(await setup.router.setRoutes(routes(50, 1)))
    const refused = await setup.router.setRoutes(routes(1_000, 2, { listen: await setup.takenAddress() }))
    expect(codeOf(refused)).not.toBe('no failure')
    const served = await setup.send(40)
    expect((served[OLD] ?? 0) > (served[NEW] ?? 0), `${JSON.stringify(served)}`).toBe(true)
    expect((await state()).sets.map(({ weightPermille }) => weightPermille)).toEqual([950, 50])
    unwrap(await setup.router.setRoutes(routes(1_000, 3)))
    expect(await setup.send(4)).toEqual({ [NEW]: 4 })
  })
}

function others(bench: Bench, skip: (why: string) => never): Bench & { second(): Promise<Router> } {
  const { second } = bench.setup
  return second === undefined ? skip('it has one controller only') : { ...bench, second }
}
