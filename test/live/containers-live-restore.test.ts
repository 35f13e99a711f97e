import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startContainerStack, thingImage } from './kit/container-stack.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'
import { eventually } from './kit/settle.ts'
import type { Stack } from './kit/stack.ts'
import { startTraffic } from './kit/traffic.ts'

const why = whyNoDocker()

/** Which processes serve, and how often they ended. */
const serving = async (stack: Stack) =>
  (await stack.view()).sets.flatMap(({ instances }) =>
    instances.filter(({ state }) => state === 'ready').map(({ id, pid, crashes }) => ({ id, pid, crashes })),
  )

describe.skipIf(why !== null)(`the engine is killed under load${why === null ? '' : ` (${why})`}`, () => {
  let engine: DockerStand

  describe('with live-restore', () => {
    beforeAll(async () => {
      engine = await startDocker({ words: () => ['--live-restore'] })
      for (const version of ['1.0.0', '1.1.0', '1.2.0']) await thingImage(engine, version)
    })
    afterAll(() => engine.close())

    it('nobody notices, also in the middle of a rollout, and instances are the same afterwards', async () => {
      const stack = await startContainerStack(engine)
      const before = await serving(stack)
      expect(before).toHaveLength(2)
      const traffic = await startTraffic(stack, {})
      await engine.stop('kill')
      const sent = traffic.load.stats().sent
      await eventually('users are served without it', async () => traffic.load.stats().sent > sent + 100)
      await engine.start()
      expect(await serving(stack)).toEqual(before)

      const rollout = await stack.begin('1.1.0')
      await stack.weight('1.1.0', 300)
      await engine.stop('kill')
      await engine.start()
      expect(await stack.outcome(rollout)).toBe('promoted')
      // In order, as an update of its package does it.
      await engine.stop()
      await engine.start()
      expect((await stack.deploy('1.2.0')).outcome).toBe('promoted')
      const { requests, webSockets } = await traffic.stop()
      expect(requests.lost).toEqual({ count: 0, byKind: {}, samples: [] })
      expect(webSockets).toMatchObject({ failedToOpen: 0, unexpectedCloses: 0 })
      await eventually('only stable is left', async () => (await engine.containers()).length === 2)
      expect((await serving(stack)).map(({ crashes }) => crashes)).toEqual([0, 0])
    })
  })

  describe('without it', () => {
    beforeAll(async () => {
      engine = await startDocker()
      await thingImage(engine, '1.0.0')
    })
    afterAll(() => engine.close())

    it('instances end with it, are started again once it is back, and the journal says why', async () => {
      const stack = await startContainerStack(engine)
      const before = await serving(stack)
      await engine.stop()
      const said = async () =>
        JSON.stringify(stack.journal()).includes('its container ended together with the Docker Engine')
      await eventually('the journal says why', said)
      expect((await stack.get('/')).status).toBeGreaterThanOrEqual(500)
      await engine.start()
      await eventually('both serve again', async () => (await serving(stack)).length === 2)
      const after = await serving(stack)
      expect(after.map(({ id, crashes }) => [id, crashes])).toEqual(before.map(({ id }) => [id, 0]))
      expect(after.map(({ pid }) => pid)).not.toEqual(before.map(({ pid }) => pid))
      expect((await stack.get('/')).version).toBe('1.0.0')
      expect(await engine.containers()).toHaveLength(2)
    })
  })
})
