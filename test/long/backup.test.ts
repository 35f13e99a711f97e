import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { postgresMissing, startPostgres } from '../../src/testkit/servers/postgres.test.kit.ts'
import { killHard, processesOf } from '../live/kit/processes.ts'
import { eventually } from '../live/kit/settle.ts'
import { createStack, impatientHealth, type Stack, startStack } from '../live/kit/stack.ts'
import { expectNothingLost, startTraffic } from '../live/kit/traffic.ts'

const manual = {
  canary: {
    steps: [{ weight: '25%', pause: 'manual' }, { weight: '100%' }],
    watch: '300ms',
    hold: '200ms',
  },
}
const versions = { '1.0.0': {}, '1.1.0': {} }

it('restored into a world that was promoted meanwhile, it looks first, goes back to its stage and resumes, and loses no request (E8)', async () => {
  const stack = await startStack({ versions, stable: '1.0.0', file: { strategy: manual } })
  const traffic = await startTraffic(stack)
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)
  const file = await backUp(stack)

  await promote(stack)
  expect(await stack.outcome(rollout)).toBe('promoted')
  await eventually('the end of the old instances', () => stack.instances().length === 2)

  await restore(stack, file)
  await stack.weight('1.1.0', 250)
  await stack.stage(rollout, 250)
  expectLookedFirst(stack)
  await promote(stack)
  expect(await stack.outcome(rollout)).toBe('promoted')
  expectNothingLost(await traffic.stop())
  expect(await stack.get('/')).toMatchObject({ status: 200, version: '1.1.0' })
})

it('restored where the candidate can not be started any more, it returns to stable, and loses no request (E8)', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': { marker: 'the candidate' } },
    stable: '1.0.0',
    file: { strategy: manual, health: impatientHealth },
  })
  const traffic = await startTraffic(stack)
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)
  const file = await backUp(stack)

  await stack.call('abort', {}, z.unknown())
  expect(await stack.outcome(rollout)).toBe('aborted')
  await eventually('the end of the candidate', () => stack.instances().length === 2)
  const copy = copyWith(stack, 'the candidate')
  rmSync(copy, { recursive: true })

  const said = await restore(stack, file)
  expect(said).toContain(`1.1.0 cannot be started: its copy ${copy} is gone`)
  expect(await stack.outcome(rollout)).toBe('rolled_back')
  expectNothingLost(await traffic.stop())
  expect(await stack.get('/')).toMatchObject({ status: 200, version: '1.0.0' })
})

it('after the loss of the machine and a damaged state, up names the backup to restore, and stable and rollout come back (E8)', async () => {
  const stack = await startStack({ versions, stable: '1.0.0', file: { strategy: manual } })
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)
  expect((await stack.cli('backup')).code).toBe(0)
  await eventually('no process of the folder', () => {
    const left = processesOf(stack.folder)
    for (const { pid } of left) killHard(pid)
    return left.length === 0
  })
  const database = path.join(stack.state, 'state.db')
  for (const file of [database, `${database}-wal`])
    writeFileSync(file, readFileSync(file).fill(0x55, 100, 3000))
  const bytes = readFileSync(database)

  const refused = await stack.cli('up')
  expect(refused).toMatchObject({ code: 13, err: expect.stringContaining('STORE_CORRUPT') })
  expect(refused.err).toContain(database)
  const [, command] = /sluice (restore \S+\.sluice)/.exec(refused.err) ?? []
  expect(readFileSync(database).equals(bytes)).toBe(true)

  const restored = await stack.cli(...(command ?? 'no command was named').split(' '))
  expect(restored.out).toContain('The damaged state that was there is kept in')
  expect((await stack.cli('up')).code).toBe(0)
  await stack.stage(rollout, 250)
  const traffic = await startTraffic(stack)
  await promote(stack)
  expect(await stack.outcome(rollout)).toBe('promoted')
  expectNothingLost(await traffic.stop())
})

it('writes a backup each day by itself, and doctor says when the newest one is old', async () => {
  const stack = await startStack({ versions: { '1.0.0': {} }, stable: '1.0.0' })
  await stack.kill('controller')
  await stack.startController()
  const shelf = path.join(stack.state, 'backups')
  const [name] = await eventually('a backup', () => existsSync(shelf) && readdirSync(shelf).filter(isDaily))
  const file = path.join(shelf, name ?? '')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect((await stack.cli('doctor')).out).toContain('The newest backup')
  rmSync(file)
  writeFileSync(path.join(shelf, 'daily-20200101T000000Z.sluice'), '')
  expect((await stack.cli('doctor')).out).toMatch(/The newest backup .* is from 2020-01-01/)
})
const isDaily = (name: string): boolean => /^daily-\d{8}T\d{6}Z\.sluice$/.test(name)

describe.skipIf(postgresMissing !== null)('between the stores', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('a rollout under way moves to PostgreSQL and back by backup and restore, and loses no request (E8)', async () => {
    const server = await startPostgres()
    const stack = await startStack({ versions, stable: '1.0.0', file: { strategy: manual } })
    const traffic = await startTraffic(stack)
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 250)
    const file = await backUp(stack)
    expect((await stack.cli('down', '--controller-only')).code).toBe(0)

    vi.stubEnv('SLUICE_DATABASE_URL', server.url)
    expect((await stack.cli('restore', file)).out).toContain('postgresql://')
    expect((await stack.cli('up')).code).toBe(0)
    await stack.stage(rollout, 250)
    const back = await backUp(stack, 'back.sluice')
    const used = await stack.cli('restore', back, '--replace')
    expect(used.err).toContain('STORE_LOCKED')
    expect((await stack.cli('down', '--controller-only')).code).toBe(0)

    vi.unstubAllEnvs()
    expect((await stack.cli('restore', back)).err).toContain('STORE_ELSEWHERE')
    rmSync(path.join(stack.state, 'shared-store'))
    expect((await stack.cli('restore', back, '--replace')).code).toBe(0)
    expect((await stack.cli('up')).code).toBe(0)
    await stack.stage(rollout, 250)
    await promote(stack)
    expect(await stack.outcome(rollout)).toBe('promoted')
    expectNothingLost(await traffic.stop())
    await server.dispose()
  })

  it('up refuses damaged tables, names the schema and the command, and the command heals them (E8)', async () => {
    const server = await startPostgres()
    vi.stubEnv('SLUICE_DATABASE_URL', server.url)
    const stack = await startStack({ versions, stable: '1.0.0' })
    expect((await stack.cli('backup')).code).toBe(0)
    expect((await stack.cli('down', '--controller-only')).code).toBe(0)
    await server.sql("UPDATE sluice.streams SET state = '{'")

    const refused = await stack.cli('up')
    expect(refused).toMatchObject({ code: 13, err: expect.stringContaining('STORE_CORRUPT') })
    expect(refused.err).toContain('schema sluice of postgresql://')
    const [, command] = /sluice (restore \S+\.sluice)/.exec(refused.err) ?? []
    const restored = await stack.cli(...(command ?? 'no command was named').split(' '))
    expect(restored.out).toContain('The damaged state that was there is kept in sluice_old_')
    expect((await stack.cli('up')).code).toBe(0)
    await eventually('an answer', async () => (await stack.get('/')).version === '1.0.0')
    await server.dispose()
  })
})

it('a service that the backup does not know serves on, and is taken over when the version that runs is deployed again', async () => {
  const stack = await createStack({ versions })
  await stack.startController()
  const file = path.join(stack.folder, 'empty.sluice')
  expect((await stack.cli('backup', file)).code).toBe(0)
  expect((await stack.deploy('1.0.0')).outcome).toBe('promoted')
  const running = stack.instances().sort()
  const traffic = await startTraffic(stack)
  await restore(stack, file)
  expect((await stack.cli('doctor')).out).toContain('which no set knows')
  expect((await stack.deploy('1.0.0')).outcome).toBe('promoted')
  expect(stack.instances().sort()).toEqual(running)
  expect((await stack.cli('doctor')).out).toContain('Every running instance of this folder is known')
  expectNothingLost(await traffic.stop())
})

/** Nothing is done to a part before it was looked at under the new epoch. */
function expectLookedFirst(stack: Stack): void {
  const kinds = stack.journal().map(({ event }) => event.kind)
  const since = kinds.slice(kinds.lastIndexOf('controller-started'))
  expect(since).toContain('set-asserted')
  expect(since.slice(0, since.indexOf('set-asserted'))).toContain('part-seen')
}

/** The stored copy that holds this marker. */
function copyWith({ state }: Stack, marker: string): string {
  const artifacts = path.join(state, 'artifacts')
  const found = readdirSync(artifacts).find((name) => {
    const file = path.join(artifacts, name, 'behaviour.json')
    return existsSync(file) && readFileSync(file, 'utf8').includes(marker)
  })
  return path.join(artifacts, found ?? 'no copy holds the marker')
}

async function backUp(stack: Stack, name = 'copy.sluice'): Promise<string> {
  const file = path.join(stack.folder, name)
  const { code, out, err } = await stack.cli('backup', file)
  expect(err).toBe('')
  expect(out).toContain('1 service')
  expect(code).toBe(0)
  return file
}

/** The controller is stopped, the state set back, and a controller started again; proxy, agent and instances go on. */
async function restore(stack: Stack, file: string): Promise<string> {
  const running = await stack.cli('restore', file, '--replace')
  expect(running).toMatchObject({ code: 13, err: expect.stringContaining('STORE_LOCKED') })
  expect(running.err).toContain(`process ${stack.pid('controller')}`)
  expect((await stack.cli('down', '--controller-only')).code).toBe(0)
  expect((await stack.cli('restore', file)).err).toContain('STORE_NOT_EMPTY')
  const { code, out } = await stack.cli('restore', file, '--replace')
  expect(out).toContain('The state that was there is kept in')
  expect(code).toBe(0)
  expect((await stack.cli('up')).code).toBe(0)
  return out
}

async function promote(stack: Stack): Promise<void> {
  await eventually('a promotion that was heard', async () => (await stack.refusal('promote', {})) === null)
}
