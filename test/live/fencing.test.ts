import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createPostgresStore } from '../../src/adapters/stores/postgres/store.ts'
import { AgentState } from '../../src/agent/agent-state.ts'
import { ServiceRoutes } from '../../src/core/shared/routes.ts'
import type { Store } from '../../src/ports/store.ts'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../src/testkit/servers/postgres.test.kit.ts'
import { type Group, isReady, type Seat, startGroup } from './kit/group.ts'
import { eventually } from './kit/settle.ts'
import { STREAM, type Stack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

// Three places refuse what comes under an epoch that is over: the store, the data plane and the host agent. Each is asked
// here directly, where none of the others could have refused, and then by a controller that was frozen with the request in
// its hands and woke up after it was replaced.

const FREEZER = new URL('kit/freeze-at-request.ts', import.meta.url).href
const VERSIONS = { '1.0.0': {}, '1.1.0': {}, '1.2.0': {}, '1.3.0': {} }
const AHEAD = 1000
/** In every statement that writes under a lease. */
const LEASE_CHECK = 'FOR SHARE'

describe.skipIf(postgresMissing !== null)('an epoch that is over', () => {
  let server: PostgresServer
  let group: Group
  let stack: Stack
  const atEnd: (() => Promise<void>)[] = []
  beforeAll(async () => {
    server = await startPostgres()
    const freezer = (name: string) => ({ preload: FREEZER, env: { FREEZE_FILE: name } })
    group = await startGroup({
      server,
      versions: VERSIONS,
      controllers: [freezer('controller-1'), freezer('controller-2')],
      atEnd: (remove) => atEnd.push(remove),
    })
    stack = group.stack
  })
  afterAll(async () => {
    for (const remove of atEnd) await remove()
    await server.dispose()
  })

  it('the store alone refuses a write under it (S116)', async () => {
    const [mine, other] = [await openStore(server.url, 'mine'), await openStore(server.url, 'other')]
    try {
      await mine.append(written({ epoch: null, expectedRevision: 0 }))
      expect(await mine.claim({ now: 1, leaseMs: 1, limit: 1 })).toMatchObject({ value: [{ epoch: 1 }] })
      expect(await mine.append(written({ epoch: 1, expectedRevision: 1 }))).toMatchObject({ kind: 'ok' })
      await eventually('the end of the lease', async () => {
        const claimed = await other.claim({ now: 1, leaseMs: 60_000, limit: 1 })
        return claimed.kind === 'ok' && claimed.value[0]?.epoch === 2
      })
      // The revision is right, so nothing but the epoch can be wrong.
      expect(await mine.append(written({ epoch: 1, expectedRevision: 2 }))).toMatchObject({
        problem: { code: 'STORE_FENCED' },
      })
      expect(await other.append(written({ epoch: 2, expectedRevision: 2 }))).toMatchObject({ kind: 'ok' })
    } finally {
      await mine.close()
      await other.close()
    }
  })

  it('the data plane alone refuses routes under it, and takes the same routes under the epoch of today', async () => {
    const routes = routesInForce(stack)
    const { epoch, sequence } = routes.token
    expect(
      await putRoutes(stack, { ...routes, token: { ...routes.token, epoch: epoch - 1 } }, AHEAD),
    ).toEqual(STALE)
    expect((await stack.router()).token).toMatchObject({ epoch, sequence })
    expect(await putRoutes(stack, routes, 0)).toMatchObject({ status: 200 })
  })

  it('the agent alone refuses a set under it, and takes the same set under the epoch of today', async () => {
    const { tokens, sets } = agentState(stack)
    const token = tokens[STREAM]
    const set = sets[0]
    if (token === undefined || set === undefined) throw new Error('the agent knows of no set')
    const ask = (epoch: number, replicas: number) =>
      stack.agentCall('PUT', `/sets/${STREAM}/${encodeURIComponent(set.release)}`, {
        token: { ...token, epoch, sequence: token.sequence + (epoch < token.epoch ? AHEAD : 0) },
        spec: set.spec,
        replicas,
      })
    expect(await ask(token.epoch - 1, 5)).toMatchObject({ body: { problem: { code: 'STALE_TOKEN' } } })
    expect(agentState(stack).sets[0]?.replicas).toBe(set.replicas)
    expect(await ask(token.epoch, set.replicas)).toMatchObject({ status: 202 })
  })

  it('a controller that wakes up in the middle of a write writes nothing any more, and goes on as a follower', async () => {
    const traffic = await startTraffic(stack)
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 250)

    // Whoever decides it, the holder writes what follows. The answer may freeze with the one who was asked.
    let asked: Promise<unknown> = Promise.resolve()
    const zombie = await freeze(LEASE_CHECK, () => {
      asked = stack.refusal('promote', {})
    })
    const after = await group.takenOver(zombie)
    // At once: a client of the database that waited for more than 12 s would give up by itself.
    zombie.seat.child.kill('SIGCONT')
    expect(await lateRequest(zombie)).toContain(LEASE_CHECK)
    await eventually('a controller that was told', () =>
      group.logOf(zombie.seat).find((line) => line.includes('STORE_FENCED')),
    )
    await eventually('a follower', () => isReady(stack, zombie.seat))
    expect(await group.holder()).toEqual({ seat: after.seat, epoch: after.epoch })
    // Without the epoch it would have been written: what is refused by its revision is decided anew and sent again.
    const late = (await group.audit.writings()).filter(({ epoch }) => epoch === after.epoch)
    expect(new Set(late.map(({ writer }) => writer))).toEqual(new Set([after.seat.name]))
    await asked
    await abort(rollout)
    expectNothingLost(await traffic.stop())
  })

  it('a controller that wakes up with routes in its hands is refused by the data plane', async () => {
    const traffic = await startTraffic(stack)
    const rollout = await stack.begin('1.2.0')
    await stack.stage(rollout, 250)

    // The answer may freeze with the one who was asked.
    let asked: Promise<unknown> = Promise.resolve()
    const zombie = await freeze(`PUT /services/${STREAM}/routes`, () => {
      asked = stack.refusal('promote', {})
    })
    await group.takenOver(zombie)
    await stack.weight('1.2.0', 600)
    await abort(rollout)
    const { token } = await stack.router()
    zombie.seat.child.kill('SIGCONT')
    expect(await lateRequest(zombie)).toContain(`"epoch":${zombie.epoch}`)

    // Changes are done one after the other, so the late one was looked at when this one was.
    const mine = routesInForce(stack)
    expect(await putRoutes(stack, { ...mine, token: { ...mine.token, epoch: zombie.epoch } }, AHEAD)).toEqual(
      STALE,
    )
    const { sets, token: now } = await stack.router()
    expect(sets.filter(({ weightPermille }) => weightPermille > 0)).toMatchObject([{ version: '1.0.0' }])
    expect(now?.epoch).toBe(token?.epoch)
    await asked
    expectNothingLost(await traffic.stop())
  })

  it('a controller that wakes up with a set in its hands is refused by the agent', async () => {
    const traffic = await startTraffic(stack)
    let asked: Promise<unknown> = Promise.resolve()
    const zombie = await freeze(`PUT /sets/${STREAM}/`, () => {
      asked = stack.begin('1.3.0').catch(() => undefined)
    })
    await group.takenOver(zombie)
    const rollout = await eventually('the rollout', async () => (await stack.view()).rollout?.id)
    await stack.stage(rollout, 250)
    await abort(rollout)
    zombie.seat.child.kill('SIGCONT')
    expect(await lateRequest(zombie)).toContain('"replicas"')

    await eventually(
      'the agent to have heard it',
      async () => (await stack.agentCall('GET', `/services/${STREAM}`)).status === 200,
    )
    expect(agentState(stack).sets).toHaveLength(1)
    expect(stack.instances()).toHaveLength(2)
    await asked
    expectNothingLost(await traffic.stop())
  })

  /** Freezes the holder at its next request that holds this text. */
  async function freeze(
    text: string,
    provoke: () => void,
  ): Promise<{ seat: Seat; epoch: number; file: string }> {
    const { seat, epoch } = await group.holder()
    const file = path.join(stack.folder, seat.name)
    for (const mark of ['frozen', 'sent']) rmSync(`${file}.${mark}`, { force: true })
    writeFileSync(file, text)
    provoke()
    await eventually('a frozen holder', () => existsSync(`${file}.frozen`))
    return { seat, epoch, file }
  }

  async function abort(rollout: string): Promise<void> {
    await eventually(
      'an abort that was heard',
      async () => (await stack.refusal('abort', { reason: 'enough' })) === null,
    )
    expect(await stack.outcome(rollout)).toBe('aborted')
    await eventually(
      'the end of the candidate',
      () => agentState(stack).sets.length === 1 && stack.instances().length === 2,
    )
  }
})

const STALE = { status: 409, body: expect.objectContaining({ code: 'STALE_TOKEN' }) }

const lateRequest = ({ file }: { file: string }): Promise<string> =>
  eventually(
    'a request that went out late',
    // It is there before it is written.
    () => existsSync(`${file}.sent`) && (readFileSync(`${file}.sent`, 'utf8') || false),
  )

const putRoutes = (stack: Stack, routes: ServiceRoutes, ahead: number) =>
  stack.routerCall('PUT', `/services/${STREAM}/routes`, {
    ...routes,
    token: { ...routes.token, sequence: routes.token.sequence + ahead },
  })

/** What the data plane and the agent keep on disk: all that somebody needs who wants to ask them for something. */
function routesInForce({ state }: Stack): ServiceRoutes {
  const File = z.object({ services: z.record(z.string(), z.object({ routes: ServiceRoutes })) })
  const file = File.parse(JSON.parse(readFileSync(path.join(state, 'proxy', 'routes.json'), 'utf8')))
  const routes = file.services[STREAM]?.routes
  if (routes === undefined) throw new Error(`the data plane keeps no routes of ${STREAM}`)
  return routes
}

const agentState = ({ state }: Stack): AgentState =>
  AgentState.parse(JSON.parse(readFileSync(path.join(state, 'agent', 'agent.json'), 'utf8')))

async function openStore(url: string, name: string): Promise<Store> {
  const opened = await createPostgresStore({ url, schema: 'alone' })
  if (opened.kind === 'failed') throw new Error(opened.problem.message)
  await opened.value.join({ name, pid: process.pid, host: 'here', startedAt: 0 })
  return opened.value
}

const written = (of: { epoch: number | null; expectedRevision: number }) => ({
  ...of,
  stream: 'alone.local',
  at: 1,
  events: [{ kind: 'noted', event: {} }],
  schemaVersion: 1,
  state: {},
  due: 1,
  messages: [],
  documents: [],
})
