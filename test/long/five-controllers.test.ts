import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { freePort } from '../../src/testkit/free-port.ts'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../src/testkit/servers/postgres.test.kit.ts'
import type { Holding, Writing } from '../live/kit/audit.ts'
import { type Group, startGroup, TAKEOVER_MS } from '../live/kit/group.ts'
import { eventually } from '../live/kit/settle.ts'
import { quickAnalysis, type Stack } from '../live/kit/stack.ts'
import { expectNothingLost, startTraffic } from '../live/kit/traffic.ts'

const SERVICES = ['one', 'two', 'three']
const streamOf = (service: string): string => `${service}.local`
const strategy = {
  canary: {
    steps: [{ weight: '25%', pause: '8s' }, { weight: '60%', pause: 'manual' }, { weight: '100%' }],
    watch: '300ms',
    hold: '200ms',
  },
}
/** What only the holder of the lease writes: it comes from looking at the world. */
const OF_THE_HOLDER = [
  'controller-started',
  'part-seen',
  'instances-observed',
  'routes-confirmed',
  'metrics-observed',
]

describe.skipIf(postgresMissing !== null)('five controllers on one database', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.dispose())

  it('are killed one after the other until one is left: every rollout ends right, and each stream has one owner at a time', async () => {
    const ports = new Map<string, number>()
    for (const service of SERVICES) ports.set(service, await freePort())
    const group = await startGroup({
      server,
      versions: { '1.0.0': {}, '1.1.0': {}, '1.2.0': { errorShare: 0.5 } },
      controllers: [{}, {}, {}, {}, {}],
      file: fileOf(ports),
    })
    const { stack, audit } = group
    const first = await Promise.all(SERVICES.map((service) => stack.begin('1.0.0', { service })))
    for (const rollout of first) expect(await stack.outcome(rollout)).toBe('promoted')
    const traffics = await Promise.all([...ports.values()].map((port) => trafficOn(stack, port)))

    const wanted = { one: '1.1.0', two: '1.1.0', three: '1.2.0' }
    const rollouts = await Promise.all(
      Object.entries(wanted).map(async ([service, version]) => stack.begin(version, { service })),
    )
    const took: number[] = []
    for (let left = 4; left > 0; left -= 1) took.push(await killHolder(group, SERVICES[left % 3] ?? 'one'))
    console.log(`holders killed one after the other: taken over after ${took.map(Math.round).join(', ')} ms`)
    expect(Math.max(...took)).toBeLessThan(TAKEOVER_MS)

    for (const service of ['one', 'two'])
      await eventually(`a promotion of ${service}`, async () => {
        await stack.refusal('promote', { service })
        return (await stack.rollout(rollouts[service === 'one' ? 0 : 1] ?? '')).rollout.outcome
      })
    const outcomes = await Promise.all(rollouts.map((rollout) => stack.outcome(rollout)))
    expect(outcomes).toEqual(['promoted', 'promoted', 'rolled_back'])
    expectOneOwnerAtATime(await audit.holdings(), await audit.writings())
    for (const traffic of traffics) expectNothingLost(await traffic.stop())
  })
})

const fileOf = (ports: ReadonlyMap<string, number>) => ({
  ...Object.fromEntries(
    ['service', 'run', 'listen', 'health', 'drain', 'strategy', 'analysis', 'prober'].map((key) => [
      key,
      undefined,
    ]),
  ),
  services: Object.fromEntries(
    [...ports].map(([service, port]) => [
      service,
      {
        run: { artifact: './releases/{{version}}', command: 'node server.js', replicas: 1, stopGrace: '5s' },
        listen: `127.0.0.1:${port}`,
        health: { path: '/up', interval: '100ms', timeout: '5s', successes: 2, deadline: '40s' },
        strategy,
        analysis: quickAnalysis,
        prober: 'off',
      },
    ]),
  ),
})

const trafficOn = (stack: Stack, port: number) =>
  startTraffic(
    { ...stack, url: `http://127.0.0.1:${port}`, webSocketUrl: `ws://127.0.0.1:${port}/live` },
    { ratePerSecond: 15, webSockets: 1, slow: 0 },
  )

/** Kills whoever holds the stream of a service; how long it took until somebody else wrote to it. */
async function killHolder({ holder, kill, takenOver }: Group, service: string): Promise<number> {
  const before = await holder(streamOf(service))
  const killedAt = await kill(before.seat)
  const after = await takenOver(before, streamOf(service))
  return after.at - killedAt
}

const Started = z.object({ epoch: z.int() })

function expectOneOwnerAtATime(holdings: readonly Holding[], writings: readonly Writing[]): void {
  for (const stream of SERVICES.map(streamOf)) {
    const taken = holdings.filter((one) => one.stream === stream && one.pid !== null)
    const epochs = taken.map(({ epoch }) => epoch)
    expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b))
    expect(taken.every(({ writer }) => writer.startsWith('controller-'))).toBe(true)

    const journal = writings.filter((one) => one.stream === stream)
    const started = journal
      .filter(({ kind }) => kind === 'controller-started')
      .map(({ event }) => Started.parse(event).epoch)
    expect(started).toEqual([...new Set(started)].sort((a, b) => a - b))
    const owner = new Map(taken.map(({ epoch, writer }) => [epoch, writer]))
    for (const { kind, epoch, writer, sequence } of journal)
      if (OF_THE_HOLDER.includes(kind))
        expect({ sequence, writer }).toEqual({ sequence, writer: owner.get(epoch) })
  }
}
