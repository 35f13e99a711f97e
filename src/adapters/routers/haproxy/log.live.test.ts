import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { routesOf, until } from '../../../proxy/proxy-process.test.kit.ts'
import { startLoad } from '../../../testkit/load/load.ts'
import { type Bench, makeBench, skipReason, unwrap } from './haproxy.test.kit.ts'
import { LOG_RING, LOG_SOCKET } from './worker-log.ts'

const RELOADS = 20
const RATE_PER_SECOND = 150

describe.skipIf(skipReason !== null)('the log of haproxy', () => {
  let bench: Bench
  let port: number
  beforeEach(async () => {
    bench = await makeBench()
    const { port: stable } = await bench.startInstance('stable')
    unwrap(await bench.plane.router.setRoutes(routesOf([{ release: 'stable', ports: [stable] }], 1)))
    port = await bench.port()
  })
  afterEach(() => bench.remove())

  const told = async (plane = bench.plane) => {
    const answer = await plane.counts.query('shop')
    if (answer.kind !== 'samples') return { requests: answer.kind, missing: -1 }
    const { releases, missing } = answer.counts
    return { requests: releases.reduce((sum, { total }) => sum + total.requests, 0), missing }
  }
  const workers = async () => (await bench.ask('show proc').then(unwrap)).match(/^\d+\s+worker/gm) ?? []

  it('tells of each request over 20 reloads by hand under load, and lets each worker end', async () => {
    const load = startLoad({
      url: `http://127.0.0.1:${port}`,
      ratePerSecond: RATE_PER_SECOND,
      connections: 'both',
      sendAgain: true,
      mix: [{ share: 1, method: 'GET', path: '/' }],
    })
    for (let reload = 1; reload <= RELOADS; reload += 1) {
      const before = await bench.workerPid()
      await bench.ask('reload')
      await until('another worker serves', async () => {
        const now = await bench.workerPid()
        return now > 0 && now !== before && (await bench.plane.router.readState('shop')).kind === 'ok'
      })
    }
    const { answered, errors } = await load.stop()
    expect(answered).toBeGreaterThan(100)
    expect(errors).toBe(0)
    await expect.poll(() => told()).toEqual({ requests: answered, missing: 0 })
    await until('the workers of before have ended', async () => {
      await told()
      return (await workers()).length === 1
    })
  })

  it('is heard by the controller that came last, also while an earlier one stands still', async () => {
    let isEnded = false
    const stuck = connect(join(bench.folder, LOG_SOCKET), () => stuck.write(`show events ${LOG_RING} -w\n`))
    stuck.on('error', () => undefined)
    stuck.on('close', () => {
      isEnded = true
    })
    await until('it reads', async () => (await bench.byHand('show sess')).match(/unix_stream/g)?.length === 2)
    const next = bench.newPlane()
    unwrap(await next.router.reconcile())
    await until('it was sent away', () => isEnded)
    await bench.send(30, port)
    await expect.poll(() => told(next)).toEqual({ requests: 30, missing: 0 })
  })

  it('begins with the requests of now for a controller that comes later', async () => {
    await bench.send(10, port)
    await bench.plane.close()
    await bench.send(10, port)
    const next = bench.newPlane()
    unwrap(await next.router.reconcile())
    expect((await told(next)).missing).toBe(0)
    await bench.send(7, port)
    await expect.poll(() => told(next)).toEqual({ requests: 7, missing: 0 })
    await pause(300)
    expect(await told(next)).toEqual({ requests: 7, missing: 0 })
  })
})
