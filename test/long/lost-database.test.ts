import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../src/testkit/servers/postgres.test.kit.ts'
import type { Writing } from '../live/kit/audit.ts'
import { type CutLine, startCutLine } from '../live/kit/cut-line.ts'
import { isReady, promoteTo, startGroup, TAKEOVER_MS } from '../live/kit/group.ts'
import { eventually } from '../live/kit/settle.ts'
import { expectNothingLost, startTraffic } from '../live/kit/traffic.ts'

/** Longer than a lease, and longer than anybody waits for a connection (10 s) or an answer (12 s). */
const GONE_MS = 20_000
const MINUTE_MS = 60_000
const VERSIONS = { '1.0.0': {}, '1.1.0': {} }

describe.skipIf(postgresMissing !== null)('a database that is lost', () => {
  let server: PostgresServer
  let line: CutLine
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.dispose())
  beforeEach(async () => {
    line = await startCutLine(server.port)
  })
  afterEach(() => line.close())

  it.each([
    { cut: 'breaks', how: 'drop' as const, forMs: 0 },
    { cut: 'goes silent for longer than it waits for answers', how: 'silence' as const, forMs: GONE_MS },
  ])(
    'when the line of the holder $cut, it stops in time, the other takes over, and it comes back as a follower',
    async ({ how, forMs }) => {
      const { stack, audit, holder, takenOver, logOf, seats, kill } = await startGroup({
        server,
        versions: VERSIONS,
        controllers: [{ port: line.port }, {}],
      })
      const traffic = await startTraffic(stack)
      const rollout = await stack.begin('1.1.0')
      await stack.stage(rollout, 250)

      const before = await holder()
      expect(before.seat).toBe(seats()[0])
      const cutAt = await audit.now()
      const healAt = performance.now() + forMs
      line[how]()
      const after = await takenOver(before)
      console.log(`line of the holder ${how}: taken over after ${Math.round(after.at - cutAt)} ms`)
      expect(after.at - cutAt).toBeLessThan(TAKEOVER_MS)
      await eventually('a holder that let go', () =>
        logOf(before.seat).some((text) => text.includes('a lease may run out')),
      )
      await promoteTo(stack, rollout, 600)

      await eventually('the end of the cut', () => performance.now() > healAt)
      line.heal()
      await eventually('a follower', () => isReady(stack, before.seat))
      expect((await holder()).epoch).toBe(after.epoch)
      await kill(after.seat)
      await takenOver(after)
      await promoteTo(stack, rollout, null)
      expect(await stack.outcome(rollout)).toBe('promoted')
      expectDecidedOnce(await audit.writings())
      expectNothingLost(await traffic.stop())
    },
  )

  it('while it restarts, and while it is gone for a minute, traffic flows; afterwards work goes on and nothing is decided twice', async () => {
    const { stack, audit } = await startGroup({ server, versions: VERSIONS, controllers: [{}, {}] })
    const traffic = await startTraffic(stack)
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 250)
    await server.stop()
    await server.start()
    await promoteTo(stack, rollout, 600)

    await server.kill()
    const goneAt = performance.now()
    const before = traffic.load.stats().answered
    await eventually('a minute without it', () => performance.now() - goneAt > MINUTE_MS, 2 * MINUTE_MS)
    expect(traffic.load.stats().answered).toBeGreaterThan(before + 150)
    await stack.weight('1.1.0', 600)
    await server.start()
    await promoteTo(stack, rollout, null)
    expect(await stack.outcome(rollout)).toBe('promoted')
    expectDecidedOnce(await audit.writings())
    expectNothingLost(await traffic.stop())
  })
})

const Step = z.object({ index: z.int() })

/** Numbers without a gap, one beginning and one end for each rollout, and no step that was gone through twice. */
function expectDecidedOnce(writings: readonly Writing[]): void {
  const first = writings[0]?.sequence ?? 0
  expect(writings.map(({ sequence }) => sequence)).toEqual(writings.map((_, place) => first + place))
  const of = (kind: string) => writings.filter((one) => one.kind === kind)
  const rollouts = of('rollout-started').length
  expect(of('outcome-reached')).toHaveLength(rollouts)
  const lastBeginning = of('rollout-started').at(-1)?.sequence ?? 0
  for (const kind of ['step-started', 'step-finished']) {
    const steps = of(kind).filter(({ sequence }) => sequence > lastBeginning)
    const indices = steps.map(({ event }) => Step.parse(event).index)
    expect(indices).toEqual([...new Set(indices)])
  }
}
