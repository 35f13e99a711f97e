import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Instance } from '../core/shared/instance.ts'
import type { SetSpec } from '../core/shared/set-spec.ts'
import { type AgentFixture, createAgentFixture, exitCodeOf, waitFor } from './agent-fixture.ts'

const LONG_MS = 60_000

describe('a worker that is told by a command to take no new work', () => {
  let fixture: AgentFixture
  beforeEach(async () => {
    fixture = await createAgentFixture()
  })
  afterEach(() => fixture.close())

  const told = () => join(fixture.folder, 'told')
  /** A worker whose program to tell it is this script. */
  const workerWith = (script: string, more: Partial<SetSpec> = {}): SetSpec =>
    fixture.spec('shop@1', {
      quiesce: {
        command: [process.execPath, '-e', script, told(), '{{port}}'],
        timeoutMs: 20_000,
        graceMs: LONG_MS,
      },
      ...more,
    })
  const running = async (spec: SetSpec): Promise<Instance> => {
    await fixture.put(spec, 1, 1)
    const [instance] = await fixture.until((all) => all.some(({ state }) => state === 'ready'))
    if (instance === undefined) throw new Error('no instance')
    return instance
  }
  const gone = async (): Promise<Instance | undefined> =>
    (await fixture.until((all) => all.every(({ state }) => state === 'gone')))[0]

  it('the program knows its process and port, and the worker ends when it has finished', async () => {
    await fixture.launch()
    const worker = await running(
      workerWith(`
        const { PORT, SLUICE_PID, SLUICE_VERSION, RELEASE } = process.env
        require('node:fs').writeFileSync(process.argv[1], [process.argv[2], PORT, SLUICE_PID, SLUICE_VERSION, RELEASE].join(' '))
        process.kill(Number(SLUICE_PID), 'SIGKILL')`),
    )
    await fixture.remove('shop@1', 2)
    const ended = await gone()
    expect(readFileSync(told(), 'utf8')).toBe(`${worker.port} ${worker.port} ${worker.pid} 1.0.0 shop@1`)
    expect([ended?.lastExit?.cause, ended?.lastProbeFailure]).toEqual(['stopped-by-us', null])
  })

  it('is stopped at once where the program fails: its code and words are said, its secrets are not', async () => {
    await fixture.launch({ env: { TOKEN: 'hunter2-hunter2' } })
    await running(
      workerWith('console.error("no queue for " + process.env.TOKEN); process.exit(3)', {
        secrets: ['TOKEN'],
      }),
    )
    const began = Date.now()
    await fixture.remove('shop@1', 2)
    const ended = await gone()
    expect(Date.now() - began).toBeLessThan(LONG_MS / 2)
    const { kind, message = '' } = ended?.lastProbeFailure ?? {}
    expect(kind).toBe('not-told')
    expect(message).toMatch(
      /^it could not be told to take no new work, so it is stopped at once: .*ended with code 3: "no queue for /,
    )
    expect(message).not.toContain('hunter2')
    expect(ended?.lastExit).toMatchObject({ cause: 'stopped-by-us', signal: 'SIGTERM' })
  })

  it('is told once more where the agent died meanwhile', async () => {
    const agent = await fixture.launch()
    await running(
      workerWith(`
        const fs = require('node:fs')
        const isFirst = !fs.existsSync(process.argv[1])
        fs.appendFileSync(process.argv[1], 'told ')
        if (isFirst) setTimeout(() => {}, 20000)
        else process.kill(Number(process.env.SLUICE_PID), 'SIGKILL')`),
    )
    await fixture.remove('shop@1', 2)
    await waitFor(() => existsSync(told()))
    agent.kill('SIGKILL')
    await exitCodeOf(agent)
    await fixture.launch()
    const ended = await gone()
    expect(readFileSync(told(), 'utf8')).toBe('told told ')
    expect(ended?.lastProbeFailure).toBeNull()
  })
})
