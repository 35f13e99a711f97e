import { expect, it } from 'vitest'
import type { ServiceLimits } from '../../../core/shared/request-policy.ts'
import type { ServiceCounts } from '../../../core/shared/traffic-counts.ts'
import { type Bench, draining, eventually, NEW, SERVICE } from './kit.ts'
import type { Answered, knock } from './knock.ts'
import { atAddress, type SharedAddress } from './shared-address.ts'

/** What is over a limit of the service is turned away, and is no error of a release. */
export function limitCases(bench: () => Bench): void {
  it('turns away larger bodies', async ({ skip }) => {
    await withLimits(bench(), skip, { bodyBytes: 1_024 }, async (limited) => {
      await expectBodies(limited, {
        within: ['x'.repeat(1_024)],
        over: [1_025, 90_000].map((bytes) => 'x'.repeat(bytes)),
      })
    })
  })

  it('turns away a larger body whose length is not said, once it is too large', async ({ skip }) => {
    await withLimits(bench(), skip, { bodyBytes: 1_024 }, async (limited) => {
      const why = limited.address.bench.setup.differs?.['body-in-pieces']
      if (why !== undefined) return skip(why)
      const inPieces = (...bytes: number[]) => bytes.map((length) => 'x'.repeat(length))
      await expectBodies(limited, {
        within: [inPieces(1_000, 24)],
        over: [inPieces(1_000, 25), inPieces(90_000)],
      })
    })
  })

  it('turns away what is more at the same time, over a change of routes too, and WebSockets count', async ({
    skip,
  }) => {
    await withLimits(bench(), skip, { requests: 2 }, async ({ address, ask, counts, put }) => {
      const { setup, state } = address.bench
      if (setup.beginUpload === undefined || setup.openWebSocket === undefined)
        return skip('no uploads and WebSockets in this set-up')
      const before = await counts()
      const [upload, socket] = [await setup.beginUpload(), await setup.openWebSocket()]
      const over = await ask()
      expect([over.status, over.code, over.headers['retry-after']]).toEqual([503, 'SERVICE_BUSY', '1'])
      // Turned away, not lost: the mark of what nobody could take is missing.
      expect(over.headers['sluice-error']).toBeUndefined()
      expect((await ask({ headers: { 'sluice-probe': 'key' } })).status).toBe(200)
      await put(1_000)
      expect((await ask()).code).toBe('SERVICE_BUSY')
      upload.finish()
      expect(await upload.ended).toBe('complete')
      await eventually('its place is free', async () => ((await ask()).status === 200 ? true : null))
      socket.finish()
      await eventually('both places are free', async () => {
        const second = await setup.beginUpload?.()
        const { status } = await ask()
        second?.finish()
        await second?.ended
        return status === 200 ? true : null
      })
      await eventually('all are counted', async () => {
        const { limited } = await state()
        return limited !== undefined && limited.requests >= 2 ? true : null
      })
      const after = await counts()
      expect(after.refused - before.refused).toBe((await state()).limited?.requests)
      expect([after.unroutable, errorsOf(after)]).toEqual([before.unroutable, 0])
    })
  }, 60_000)

  it('frees the places of what a drain cuts', async ({ skip }) => {
    await withLimits(bench(), skip, { requests: 2 }, async ({ address, ask, put }) => {
      const { setup, routes, drainOf } = address.bench
      await put(1_000)
      const held = [await setup.hold(), await setup.hold()]
      expect((await ask()).code).toBe('SERVICE_BUSY')
      await address.put(SERVICE, { limits: { requests: 2 }, sets: draining(routes(0, 1)).sets })
      expect((await drainOf(NEW)).cutTotal).toBe(2)
      await Promise.all(held.map(({ ended }) => ended))
      await eventually('both places are free', async () => {
        const answers = await Promise.all([ask(), ask()])
        return answers.every(({ status }) => status === 200) ? true : null
      })
    })
  }, 60_000)

  it('turns away what is more a second than a bucket of tokens holds, over a change of routes too', async ({
    skip,
  }) => {
    const limits = { rate: { perSecond: 0.05, burst: 4 } }
    await withLimits(bench(), skip, limits, async ({ address, ask, counts, put }) => {
      const { state } = address.bench
      const statuses: number[] = []
      for (let turn = 0; turn < 6; turn += 1) {
        statuses.push((await ask()).status)
        expect((await ask({ headers: { 'sluice-probe': 'key' } })).status).toBe(200)
      }
      expect(statuses).toEqual([200, 200, 200, 200, 429, 429])
      await put(1_000)
      const over = await ask()
      expect([over.status, over.code, JSON.parse(over.body).retryable]).toEqual([429, 'RATE_EXCEEDED', true])
      const retryAfterS = Number(over.headers['retry-after'])
      expect([retryAfterS > 0, retryAfterS <= 20]).toEqual([true, true])
      await eventually('all are counted', async () => {
        const { limited } = await state()
        return limited?.rate === 3 && limited.requests === 0 ? true : null
      })
      const after = await counts({ requests: 4 })
      expect([after.unroutable, errorsOf(after)]).toEqual([0, 0])
    })
  })

  it('fills the bucket again while nobody comes', async ({ skip }) => {
    const limits = { rate: { perSecond: 4, burst: 2 } }
    await withLimits(bench(), skip, limits, async ({ ask }) => {
      const send = async (times: number) => {
        const answers = await Promise.all(Array.from({ length: times }, () => ask()))
        return answers.filter(({ status }) => status === 200).length
      }
      const begun = performance.now()
      const first = await send(6)
      const refilled = Math.floor(((performance.now() - begun) / 1_000) * 4)
      expect([first >= 2, first <= 2 + refilled]).toEqual([true, true])
      await eventually('there is a token', async () => ((await ask()).status === 200 ? true : null))
    })
  })
}

type Bodies = { within: (string | string[])[]; over: (string | string[])[] }

async function expectBodies({ ask, counts }: Limited, { within, over }: Bodies): Promise<void> {
  const before = await counts()
  for (const body of within) expect((await ask({ body })).status).toBe(200)
  for (const body of over) {
    const { status, code } = await ask({ body })
    expect([status, code]).toEqual([413, 'BODY_TOO_LARGE'])
  }
  const after = await counts({ refused: before.refused + over.length, requests: within.length })
  expect([after.unroutable, errorsOf(after)]).toEqual([before.unroutable, 0])
}

const errorsOf = ({ releases }: ServiceCounts): number =>
  releases.reduce((sum, { total }) => sum + total.errors, 0)
const requestsOf = ({ releases }: ServiceCounts): number =>
  releases.reduce((sum, { total }) => sum + total.requests, 0)

type Limited = {
  address: SharedAddress
  ask(asked?: Omit<Parameters<typeof knock>[0], 'port'>): Promise<Answered>
  put(permille: number): Promise<void>
  /** The counters, once they say this. */
  counts(until?: { refused?: number; requests?: number }): Promise<ServiceCounts>
}

/** `shop` with these limits, alone at an address that users of the set-up reach, too. */
async function withLimits(
  bench: Bench,
  skip: (why: string) => never,
  limits: ServiceLimits,
  work: (limited: Limited) => Promise<void>,
): Promise<void> {
  await atAddress(bench, skip, async (address) => {
    const put = (permille: number) =>
      address.put(SERVICE, {
        limits,
        sets: bench.routes(permille, 1).sets,
        drain: { requestsMs: 30_000, websocketsMs: 30_000 },
      })
    const { counts } = bench.setup
    if (counts === undefined) return skip('no counters in this set-up')
    await put(0)
    await work({
      address,
      put,
      ask: (asked = {}) => address.ask(asked),
      counts: (until = {}) =>
        eventually(`the counters are ${JSON.stringify(until)}`, async () => {
          const answer = await counts.query(SERVICE)
          if (answer.kind !== 'samples') return null
          const isTold =
            (until.refused === undefined || answer.counts.refused === until.refused) &&
            (until.requests === undefined || requestsOf(answer.counts) === until.requests)
          return isTold ? answer.counts : null
        }),
    })
  })
}
