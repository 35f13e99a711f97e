import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { routesOf } from '../../../proxy/proxy-process.test.kit.ts'
import { startLoad } from '../../../testkit/load/load.ts'
import { type Bench, makeBench, skipReason, unwrap } from './haproxy.test.kit.ts'

const CHANGES = 20
const RATE_PER_SECOND = 150

describe.skipIf(skipReason !== null)('haproxy under load', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await makeBench()
  })
  afterAll(() => bench.remove())

  it('loses no request over 20 changes of weights, instances and services, on kept and on fresh connections', async () => {
    const names = ['a', 'b', 'c']
    const ports: number[] = []
    for (const name of names)
      ports.push(
        (
          await bench.startInstance(name, (req, res) => {
            res.setHeader('x-shop-version', name)
            req.resume().on('end', () => setTimeout(() => res.end(name), Math.random() < 0.1 ? 150 : 1))
          })
        ).port,
      )
    const [a = 0, b = 0, c = 0] = ports
    const set = async (...given: Parameters<typeof routesOf>) =>
      unwrap(await bench.plane.router.setRoutes(routesOf(...given)))
    await set([{ release: 'a', ports: [a] }], 1)
    const load = startLoad({
      url: `http://127.0.0.1:${await bench.port()}`,
      ratePerSecond: RATE_PER_SECOND,
      connections: 'both',
      slowShare: 0.2,
      slowUploadMs: 300,
      mix: [
        { share: 3, method: 'GET', path: '/' },
        { share: 1, method: 'POST', path: '/upload', body: 'x'.repeat(2_000) },
      ],
    })
    for (let change = 1; change <= CHANGES; change += 1) {
      const weight = (change * 137) % 1001
      // Instances come and go with each change, and so does a second service, which needs a reload.
      const second = { release: change % 2 === 0 ? 'b' : 'c', ports: change % 3 === 0 ? [b, c] : [b] }
      const sets = [
        { release: 'a', weight: 1000 - weight, ports: [a] },
        { ...second, weight },
      ]
      await set(sets, change + 1)
      if (change % 5 === 0) {
        const listen = { host: '127.0.0.1', port: 0 }
        await set([{ release: 'x', ports: [a] }], change, { service: `other-${change}`, listen })
      }
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    const { answered, errors, lost } = await load.stop()
    expect(answered).toBeGreaterThan(100)
    expect([lost.samples, errors]).toEqual([[], 0])
    // The reloads have not lost a line of the log either.
    await expect
      .poll(async () => {
        const answer = await bench.plane.counts.query('shop')
        if (answer.kind !== 'samples') return answer.kind
        return answer.counts.releases.reduce((sum, { total }) => sum + total.requests, 0)
      })
      .toBe(answered)
  })
})
