import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../src/testkit/servers/postgres.test.kit.ts'
import { eventually } from './kit/settle.ts'
import { createStack, STREAM, type Stack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

const manual = {
  canary: {
    steps: [{ weight: '25%', pause: 'manual' }, { weight: '60%', pause: 'manual' }, { weight: '100%' }],
    watch: '300ms',
    hold: '200ms',
  },
}

describe.skipIf(postgresMissing !== null)('two controllers on one database', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.dispose())

  it('a killed holder is replaced by the other, which finishes the rollout (INV10)', async () => {
    const { stack, holder } = await pair(server)
    const traffic = await startTraffic(stack)
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 250)

    const before = await lease(server)
    ;(await holder()).kill('SIGKILL')
    await eventually('another holder', async () => (await lease(server)).epoch > before.epoch)
    await promoteTo(stack, rollout, 600)
    await promoteTo(stack, rollout, null)
    expect(await stack.outcome(rollout)).toBe('promoted')
    expectNothingLost(await traffic.stop())
  })

  it('a holder that was frozen past its lease changes nothing when it wakes up (S116)', async () => {
    const { stack, holder } = await pair(server)
    const traffic = await startTraffic(stack)
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 250)

    const before = await lease(server)
    const frozen = await holder()
    frozen.kill('SIGSTOP')
    await eventually('another holder', async () => (await lease(server)).epoch > before.epoch)
    await promoteTo(stack, rollout, 600)
    frozen.kill('SIGCONT')
    await eventually('a zombie that knows', () => frozen.exitCode === null && logOf(stack) !== '')
    await promoteTo(stack, rollout, null)
    expect(await stack.outcome(rollout)).toBe('promoted')
    const { timeline } = await stack.rollout(rollout)
    expect(timeline.filter(({ text }) => text.includes('changed from outside'))).toEqual([])
    expectNothingLost(await traffic.stop())
  })

  it('while the database is gone traffic flows, and afterwards the rollout goes on from where it was', async () => {
    const { stack } = await pair(server)
    const traffic = await startTraffic(stack)
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 250)

    await server.kill()
    const before = traffic.load.stats().answered
    await eventually('requests without a database', () => traffic.load.stats().answered > before + 150)
    await stack.weight('1.1.0', 250)
    await server.start()
    await promoteTo(stack, rollout, 600)
    await promoteTo(stack, rollout, null)
    expect(await stack.outcome(rollout)).toBe('promoted')
    expectNothingLost(await traffic.stop())
  })
})

/** A stack with two controllers on a database that is empty, and a stable release. */
async function pair(server: PostgresServer): Promise<{ stack: Stack; holder(): Promise<ChildProcess> }> {
  await server.sql('DROP SCHEMA IF EXISTS sluice CASCADE')
  const stack = await createStack({ versions: { '1.0.0': {}, '1.1.0': {} }, file: { strategy: manual } })
  const env = { SLUICE_DATABASE_URL: server.url }
  const first = await stack.startController({ env })
  expect((await stack.deploy('1.0.0')).outcome).toBe('promoted')
  const second = await stack.startController({ env, wait: false })
  await eventually('a second controller', () => sockets(stack).length === 2)
  return {
    stack,
    holder: async () => {
      const { pid } = await lease(server)
      const found = [first, second].find((one) => one.pid === pid)
      if (found === undefined) throw new Error(`nobody of ours holds the lease, but process ${pid}`)
      return found
    },
  }
}

const sockets = ({ state }: Stack): string[] =>
  readdirSync(state).filter((name) => /^c-\d+\.sock$/.test(name))
const logOf = ({ state }: Stack): string => readFileSync(path.join(state, 'controller.log'), 'utf8')

const Lease = z.object({ epoch: z.coerce.number(), controller: z.string().nullable() })
const Holder = z.object({ pid: z.int() })

/** Who looks after the service, as the database knows it. */
async function lease(server: PostgresServer): Promise<{ epoch: number; pid: number | null }> {
  const [row] = await server.sql(
    `SELECT epoch, controller FROM sluice.leases WHERE stream = '${STREAM}' AND until > now()`,
  )
  if (row === undefined) return { epoch: 0, pid: null }
  const { epoch, controller } = Lease.parse(row)
  return { epoch, pid: controller === null ? null : Holder.parse(JSON.parse(controller)).pid }
}

/** Promotes until it is heard: right after a takeover nobody may be there, or the step is not ready for it. */
async function promoteTo(stack: Stack, rollout: string, permille: number | null): Promise<void> {
  await eventually('a promotion that was heard', async () => (await stack.refusal('promote', {})) === null)
  if (permille !== null) await stack.stage(rollout, permille)
}
