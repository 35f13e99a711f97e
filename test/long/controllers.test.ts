import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { ServiceRoutes } from '../../src/core/shared/routes.ts'
import { eventsOf } from '../live/kit/journal.ts'
import { processesOf } from '../live/kit/processes.ts'
import { eventually } from '../live/kit/settle.ts'
import { STREAM, type Stack, startStack } from '../live/kit/stack.ts'
import { expectNothingLost, startTraffic } from '../live/kit/traffic.ts'

const manual = {
  canary: { steps: [{ weight: '25%', pause: 'manual' }, { weight: '100%' }], watch: '300ms', hold: '200ms' },
}

it('a second controller on the same folder is refused and told who owns it (S116, INV10)', async () => {
  const stack = await startStack({ versions: { '1.0.0': {} }, stable: '1.0.0' })
  const owner = stack.pid('controller')
  const second = await stack.startController({ wait: false })
  const [code] = await once(second, 'exit')

  expect(code).toBe(13)
  const log = readFileSync(path.join(stack.state, 'controller.log'), 'utf8')
  expect(log).toContain('STORE_LOCKED')
  expect(log).toContain(`process ${owner}`)
  expect(stack.pid('controller')).toBe(owner)
  expect((await stack.cli('up')).out).toContain('was up already')
  expect(await stack.get('/')).toMatchObject({ status: 200 })
})

it('down ends every process at once when nothing is under way, however long the drain limits are, and up serves again', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {} },
    stable: '1.0.0',
    file: { drain: { requests: '10m', websockets: '20m' } },
  })
  const begunAt = performance.now()
  expect((await stack.cli('down', '--yes')).code).toBe(0)
  expect(performance.now() - begunAt).toBeLessThan(60_000)
  // One that is just leaving still has an entry in the table of processes.
  await eventually('the end of all processes', () => processesOf(stack.folder).length === 0)

  expect((await stack.cli('up')).code).toBe(0)
  await eventually('an answer', async () => (await stack.get('/').catch(() => null))?.status === 200)
})

it('with revert, a lost controller sends traffic back to stable by itself, and the next one takes the stage again and promotes', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: { strategy: manual, onControllerLoss: { revert: { after: '2s' } } },
  })
  const traffic = await startTraffic(stack)
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)

  // Reading the state is a sign of life, too: until it has returned, the data plane is watched through its log alone.
  const reverts = () =>
    readFileSync(path.join(stack.state, 'proxy.log'), 'utf8').split('traffic returns to stable').length
  await stack.kill('controller')
  const before = reverts()
  await eventually('a revert in the log of the data plane', () => reverts() > before)
  const reverted = await eventually('a revert in force', async () => {
    const state = await stack.router()
    return state.reverted === null ? null : state
  })
  expect(reverted.reverted?.fromWeights).toMatchObject({ [await releaseOf(stack, '1.0.0')]: 750 })
  expect(reverted.sets.find(({ version }) => version === '1.1.0')?.weightPermille).toBe(0)

  await stack.startController()
  await stack.weight('1.1.0', 250)
  await stack.stage(rollout, 250)
  const { timeline } = await stack.rollout(rollout)
  expect(timeline.map(({ text }) => text).join('\n')).toContain('the stage is taken again')
  await stack.call('promote', {}, z.unknown())
  expect(await stack.outcome(rollout)).toBe('promoted')
  expectNothingLost(await traffic.stop())
})

it('with hold, a lost controller changes nothing: the weights stay and the next one goes on', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: { strategy: manual },
  })
  const traffic = await startTraffic(stack)
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)
  await stack.kill('controller')
  const before = traffic.load.stats()
  await eventually(
    'many requests without a controller',
    () => traffic.load.stats().answered > before.answered + 150,
  )
  const after = traffic.load.stats()
  expect(after.byVersion['1.1.0']).toBeGreaterThan(before.byVersion['1.1.0'] ?? 0)
  await stack.weight('1.1.0', 250)

  await stack.startController()
  await eventually('a promotion that was heard', async () => (await stack.refusal('promote', {})) === null)
  expect(await stack.outcome(rollout)).toBe('promoted')
  expectNothingLost(await traffic.stop())
})

it.each([
  { edit: 'the next token', ahead: 1 },
  { edit: 'a token far ahead', ahead: 1000 },
])(
  'weights edited by hand on the data plane with $edit are reported and put right (S126)',
  async ({ ahead }) => {
    const stack = await startStack({
      versions: { '1.0.0': {}, '1.1.0': {} },
      stable: '1.0.0',
      file: { strategy: manual },
    })
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 250)

    await editWeights(stack, { '1.0.0': 100, '1.1.0': 900 }, ahead)
    await stack.weight('1.1.0', 250)
    await stack.stage(rollout, 250)
    expect(eventsOf(stack.journal(), 'routes-drifted')).toMatchObject([{ cause: 'edited' }])
    expect((await stack.view()).timeline.map(({ text }) => text)).toContain(
      'the routes were changed from outside; they are set again',
    )
  },
)

const releaseOf = async (stack: Stack, version: string): Promise<string> =>
  (await stack.router()).sets.find((set) => set.version === version)?.release ?? ''

/** As somebody does who found the socket; the controller may set routes in the same moment, then the token is too low. */
async function editWeights(stack: Stack, weights: Record<string, number>, ahead: number): Promise<void> {
  await eventually('an edit that the data plane accepts', async () => {
    const routes = routesInForce(stack)
    const sets = routes.sets.map((set) => ({ ...set, weightPermille: weights[set.version] ?? 0 }))
    const token = { ...routes.token, sequence: routes.token.sequence + ahead }
    const edited = { ...routes, sets, token }
    return (await stack.routerCall('PUT', `/services/${STREAM}/routes`, edited)).status === 200
  })
}

/** What the data plane keeps on disk: all that a hand edit needs. */
function routesInForce(stack: Stack): ServiceRoutes {
  const File = z.object({ services: z.record(z.string(), z.object({ routes: ServiceRoutes })) })
  const file = File.parse(JSON.parse(readFileSync(path.join(stack.state, 'proxy', 'routes.json'), 'utf8')))
  const routes = file.services[STREAM]?.routes
  if (routes === undefined) throw new Error(`the data plane keeps no routes of ${STREAM}`)
  return routes
}
