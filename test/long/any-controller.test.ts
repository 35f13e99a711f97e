import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../src/testkit/servers/postgres.test.kit.ts'
import { startGroup } from '../live/kit/group.ts'
import { processesOf } from '../live/kit/processes.ts'
import { eventually } from '../live/kit/settle.ts'
import { quickSteps } from '../live/kit/stack.ts'
import { keepAsking } from '../live/kit/traffic.ts'

describe.skipIf(postgresMissing !== null)('the command line beside several controllers', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.dispose())

  it('finds one that answers when another is dead or frozen, and down ends them all, the frozen one too', async () => {
    const { stack, add, kill, seats } = await startGroup({
      server,
      versions: { '1.0.0': {}, '1.1.0': {} },
      controllers: [{}, {}],
      file: { strategy: { canary: { steps: quickSteps, watch: '300ms', hold: '200ms' } } },
    })
    const named = () => seats().find(({ pid }) => pid === stack.pid('controller'))
    const dead = await eventually('the controller that the folder names', named)
    await kill(dead)
    expect(await stack.cli('status')).toMatchObject({ code: 0, out: expect.stringContaining('1.0.0') })

    await add()
    const frozen = await eventually('another controller that the folder names', () => {
      const found = named()
      return found === dead ? null : found
    })
    frozen.child.kill('SIGSTOP')
    expect(await stack.cli('status')).toMatchObject({ code: 0, out: expect.stringContaining('1.0.0') })
    expect((await stack.cli('up')).out).toContain('was up already')
    keepAsking(stack)
    const deployed = await stack.cli('deploy', '1.1.0', '--yes')
    expect(deployed).toMatchObject({ code: 0 })
    expect((await stack.view()).stable?.version).toBe('1.1.0')

    expect((await stack.cli('down', '--yes')).code).toBe(0)
    await eventually('the end of all processes', () => processesOf(stack.folder).length === 0)
    expect(frozen.child.signalCode).toBe('SIGKILL')
  })

  it('a controller that was not told the address of the database refuses to begin an empty state beside it', async () => {
    const { stack, kill, seats } = await startGroup({ server, versions: { '1.0.0': {} }, controllers: [{}] })
    for (const seat of seats()) await kill(seat)
    const lost = await stack.startController({ wait: false })
    expect(await once(lost, 'exit')).toEqual([13, null])
    const { code, err } = await stack.cli('up')
    expect(code).not.toBe(0)
    expect(err).toContain('STORE_ELSEWHERE')
    expect(err).toContain('SLUICE_DATABASE_URL')
    expect(await stack.get('/')).toMatchObject({ status: 200 })
  })
})
