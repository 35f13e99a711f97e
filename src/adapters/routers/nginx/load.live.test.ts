import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLoad } from '../../../testkit/load/load.ts'
import { type Instance, NEW, NginxScene, OLD, skipReason } from './nginx.test.kit.ts'

const CHANGES = 8
const RATE = 100

describe.skipIf(skipReason !== null)('nginx under load', () => {
  let scene: NginxScene
  let instances: { old: Instance; fresh: Instance }
  beforeAll(async () => {
    scene = await NginxScene.open()
    // One in ten takes as long as two changes do.
    const serve = (release: string): Instance | Promise<Instance> =>
      scene.instance(release, (req, res) => {
        res.setHeader('x-shop-version', release)
        if (req.url === '/slow') setTimeout(() => res.end(release), 300)
        else req.resume().on('end', () => res.end(release))
      })
    instances = { old: await serve(OLD), fresh: await serve(NEW) }
  })
  afterAll(() => scene.remove())

  const at = (permille: number) =>
    scene.routes({ [OLD]: [1_000 - permille, [instances.old]], [NEW]: [permille, [instances.fresh]] })

  async function changesUnderLoad() {
    const port = await scene.set(at(0))
    await scene.counts()
    const load = startLoad({
      url: `http://127.0.0.1:${port}`,
      ratePerSecond: RATE,
      // A kept connection that is idle may be closed just when it is used: how often is in the README.
      connections: 'fresh',
      mix: [
        { method: 'GET', path: '/', share: 0.9 },
        { method: 'GET', path: '/slow', share: 0.1 },
      ],
    })
    for (let change = 1; change <= CHANGES; change += 1) {
      await scene.set(at(change * 100))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return await load.stop()
  }

  it(`loses no request on a connection of its own over ${CHANGES} changes, and counts each`, async () => {
    const before = await countedIn(scene)
    const { sent, lost, answered } = await changesUnderLoad()
    expect([lost.count, answered]).toEqual([0, sent])
    expect((await countedIn(scene)) - before).toBe(sent)
    expect((await scene.counts()).missing).toBe(0)
  })
})

async function countedIn(scene: NginxScene): Promise<number> {
  const answer = await scene.plane.counts.query('shop')
  return answer.kind === 'samples'
    ? answer.counts.releases.reduce((sum, { total }) => sum + total.requests, 0)
    : 0
}
