import { expect, it } from 'vitest'
import { type Bench, draining, eventually, NEW, OLD, type RouterSetup, SERVICE, unwrap } from './kit.ts'

/** Longer than any upload of the suite takes. */
const PATIENT = { requestsMs: 20_000, websocketsMs: 20_000 }
const RELOADS = 5
const SENT_AT_ONCE = 50

/** Requests that are under way while something changes, and whether all of them are told. */
export function inFlightCases(bench: () => Bench): void {
  it('lets a slow upload end that began before its instance drained', async ({ skip }) => {
    const { setup, routes, drainOf } = bench()
    if (setup.beginUpload === undefined) return skip('no uploads in this set-up')
    unwrap(await setup.router.setRoutes(routes(1_000, 1)))
    const upload = await setup.beginUpload()
    unwrap(await setup.router.setRoutes(draining(routes(0, 2, { drain: PATIENT }))))
    expect(await setup.send(5)).toEqual({ [OLD]: 5 })
    upload.finish()
    expect(await upload.ended).toBe('complete')
    expect((await drainOf(NEW)).cutTotal).toBe(0)
  })

  it('keeps a WebSocket open while its instance drains, until its user ends it', async ({ skip }) => {
    const { setup, routes, state, drainOf } = bench()
    if (setup.openWebSocket === undefined) return skip('no WebSockets in this set-up')
    unwrap(await setup.router.setRoutes(routes(1_000, 1)))
    const socket = await setup.openWebSocket()
    unwrap(await setup.router.setRoutes(draining(routes(0, 2, { drain: PATIENT }))))
    expect(await setup.send(5)).toEqual({ [OLD]: 5 })
    expect((await state()).instances.find(({ release }) => release === NEW)?.drain?.done).toBe(false)
    socket.finish()
    await socket.ended
    await drainOf(NEW)
  })

  it('ends a WebSocket at the limit of the drain, whether or not its user agrees', async ({ skip }) => {
    const { setup, routes, drainOf } = bench()
    if (setup.openWebSocket === undefined) return skip('no WebSockets in this set-up')
    unwrap(await setup.router.setRoutes(routes(1_000, 1)))
    const socket = await setup.openWebSocket()
    unwrap(await setup.router.setRoutes(draining(routes(0, 2))))
    await socket.ended
    // A close that the user answers is no cut.
    expect((await drainOf(NEW)).cutTotal).toBeLessThanOrEqual(1)
  })

  it('gives a WebSocket its own limit of the drain, also on a connection that requests had before', async ({
    skip,
  }) => {
    const { setup, routes, drainOf } = bench()
    if (setup.openWebSocket === undefined) return skip('no WebSockets in this set-up')
    unwrap(await setup.router.setRoutes(routes(1_000, 1)))
    await setup.send(20)
    const socket = await setup.openWebSocket()
    unwrap(await setup.router.setRoutes(draining(routes(0, 2, { drain: { ...PATIENT, websocketsMs: 300 } }))))
    await socket.ended
    const { cut } = await drainOf(NEW)
    expect(cut.filter(({ kind }) => kind !== 'websocket')).toEqual([])
  })

  it('loses no request while its configuration is read again', async ({ skip }) => {
    const { setup, routes, weights } = bench()
    const { reload } = setup
    if (reload === undefined) return skip('it has no configuration to read again')
    unwrap(await setup.router.setRoutes(routes(500, 1)))
    // Users know the address before; a router that reads its configuration may not say it.
    await setup.send(1)
    let isOver = false
    const sending = sendUntil(setup, () => isOver)
    for (let turn = 0; turn < RELOADS; turn += 1) await reload()
    isOver = true
    const { sent, answered } = await sending
    expect(answered).toBe(sent)
    expect(await weights()).toEqual({ [OLD]: 500, [NEW]: 500 })
  })

  it('counts as many requests as were sent, each for the release that answered', async ({ skip }) => {
    const { setup, routes } = bench()
    const { counts } = setup
    if (counts === undefined) return skip('it counts nothing')
    unwrap(await setup.router.setRoutes(routes(300, 1)))
    const served = await setup.send(500)
    const counted = await eventually('all requests are counted', async () => {
      const answer = await counts.query(SERVICE)
      if (answer.kind !== 'samples') return null
      const found = Object.fromEntries(
        answer.counts.releases.map(({ release, total }) => [release, total.requests]),
      )
      return (found[OLD] ?? 0) + (found[NEW] ?? 0) >= 500 ? found : null
    })
    expect(counted).toEqual(served)
  })
}

/** Requests without a pause until something is over. */
async function sendUntil(
  setup: RouterSetup,
  isOver: () => boolean,
): Promise<{ sent: number; answered: number }> {
  let [sent, answered] = [0, 0]
  while (!isOver()) {
    const served = await setup.send(SENT_AT_ONCE)
    sent += SENT_AT_ONCE
    answered += (served[OLD] ?? 0) + (served[NEW] ?? 0)
  }
  return { sent, answered }
}
