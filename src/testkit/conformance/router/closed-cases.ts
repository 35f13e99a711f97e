import { expect, it } from 'vitest'
import { type Bench, NEW, OLD, unwrap } from './kit.ts'

const CLOSED = { retryAfterS: 7 }

/** Nobody is served for a declared time. */
export function closedCases(bench: () => Bench): void {
  it('turns everybody away while the service is closed, and serves again with the next routes', async ({
    skip,
  }) => {
    const { setup, routes, state } = bench()
    if (setup.turnedAway === undefined) return skip('it cannot close a service')
    unwrap(await setup.router.setRoutes(routes(0, 1)))
    expect((await state()).closed).toBeUndefined()
    unwrap(await setup.router.setRoutes(closed(routes(0, 2))))
    expect(await setup.turnedAway()).toEqual({ status: 503, retryAfter: '7' })
    const read = await state()
    expect([read.closed, read.sets.map((set) => set.weightPermille)]).toEqual([CLOSED, [0, 0]])
    unwrap(await setup.router.setRoutes(routes(1_000, 3)))
    expect(await setup.send(10)).toEqual({ [NEW]: 10 })
    expect((await state()).closed).toBeUndefined()
  })

  it('is closed without any instance, too', async ({ skip }) => {
    const { setup, routes, state } = bench()
    if (setup.turnedAway === undefined) return skip('it cannot close a service')
    unwrap(await setup.router.setRoutes({ ...closed(routes(0, 1)), sets: [] }))
    expect(await setup.turnedAway()).toEqual({ status: 503, retryAfter: '7' })
    expect((await state()).closed).toEqual(CLOSED)
  })

  it('lets a request end that began before the service was closed', async ({ skip }) => {
    const { setup, routes, drainOf } = bench()
    if (setup.turnedAway === undefined) return skip('it cannot close a service')
    if (setup.beginUpload === undefined) return skip('no uploads in this set-up')
    const patient = { drain: { requestsMs: 20_000, websocketsMs: 20_000 } }
    unwrap(await setup.router.setRoutes(routes(0, 1)))
    const upload = await setup.beginUpload()
    const away = closed(routes(0, 2, patient))
    const sets = away.sets.map((set) => ({
      ...set,
      instances: set.instances.map((one) => ({ ...one, state: 'draining' as const })),
    }))
    unwrap(await setup.router.setRoutes({ ...away, sets }))
    expect((await setup.turnedAway()).status).toBe(503)
    upload.finish()
    expect(await upload.ended).toBe('complete')
    expect((await drainOf(OLD)).cutTotal).toBe(0)
  })
}

const closed = (routes: ReturnType<Bench['routes']>): ReturnType<Bench['routes']> => ({
  ...routes,
  closed: CLOSED,
  sets: routes.sets.map((set) => ({ ...set, weightPermille: 0 })),
})
