import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../src/testkit/servers/postgres.test.kit.ts'
import { manual, promoteTo, startGroup, TAKEOVER_MS } from './kit/group.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

describe.skipIf(postgresMissing !== null)('two controllers on one database', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.dispose())

  it('a killed follower is not missed, a killed holder is replaced within lease and two seconds, and the canary ends as it would have (INV10)', async () => {
    const { stack, audit, add, seats, holder, kill, takenOver } = await startGroup({
      server,
      versions: { '1.0.0': {}, '1.1.0': {} },
      controllers: [{}, {}],
    })
    const traffic = await startTraffic(stack)
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 250)

    const before = await holder()
    for (const seat of seats()) if (seat !== before.seat) await kill(seat)
    await promoteTo(stack, rollout, 600)
    expect((await audit.holdings()).at(-1)?.epoch).toBe(before.epoch)

    await add()
    const killedAt = await kill(before.seat)
    const after = await takenOver(before)
    console.log(`holder killed: taken over after ${Math.round(after.at - killedAt)} ms`)
    expect(after.seat).not.toBe(before.seat)
    expect(after.at - killedAt).toBeLessThan(TAKEOVER_MS)
    await promoteTo(stack, rollout, null)
    expect(await stack.outcome(rollout)).toBe('promoted')
    expectNothingLost(await traffic.stop())
  })

  it('a bad version goes back all the same when its controller was killed while it started', async () => {
    const { stack, holder, kill, takenOver } = await startGroup({
      server,
      versions: { '1.0.0': {}, '1.1.0': { errorShare: 0.5, listensAfterMs: 3000 } },
      controllers: [{}, {}],
      file: { strategy: { canary: { ...manual.canary, steps: [{ weight: '25%', pause: 'manual' }] } } },
    })
    const rollout = await stack.begin('1.1.0')
    const before = await holder()
    const killedAt = await kill(before.seat)
    const traffic = await startTraffic(stack, { webSockets: 0 })
    const after = await takenOver(before)
    console.log(`holder killed while starting: taken over after ${Math.round(after.at - killedAt)} ms`)
    expect(after.at - killedAt).toBeLessThan(TAKEOVER_MS)
    expect(await stack.outcome(rollout)).toBe('rolled_back')
    await stack.weight('1.0.0', 1000)
    expect((await traffic.stop()).requests.lost.count).toBe(0)
  })
})
