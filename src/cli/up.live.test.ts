import { spawn } from 'node:child_process'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { livingParts, readRuntime } from './controller/runtime-file.ts'
import { createTestProject, type TestProject } from './fixture/project.test.fixture.ts'
import { createTestIo, createTestTerminal } from './fixture/test-io.test.fixture.ts'
import type { Terminal } from './io.ts'
import { runCli } from './main.ts'

const FAKE_PROGRAM = fileURLToPath(new URL('./fixture/fake-program.test.fixture.ts', import.meta.url))

describe('up, down and doctor with real processes', () => {
  let project: TestProject

  beforeEach(() => {
    project = createTestProject()
  })

  afterEach(async () => {
    await run(['down', '--yes'])
    project.remove()
  })

  const run = async (argv: string[], terminal: Terminal | null = null) => {
    const io = createTestIo({ cwd: project.folder, program: [process.execPath, FAKE_PROGRAM], terminal })
    return { code: await runCli(argv, io), out: io.stdout(), err: io.stderr(), io }
  }
  const running = () => livingParts(readRuntime(project.stateFolder))

  it('starts one controller for two commands at once, and both succeed', async () => {
    const both = await Promise.all([run(['up']), run(['up', '--json'])])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(running()).toHaveLength(1)
    expect(both[0]?.out).toContain('/login?token=page-token')
    expect(statSync(project.stateFolder).mode & 0o777).toBe(0o700)
    const again = await run(['up'])
    expect(again.out).toContain('was up already')
    expect(running()).toHaveLength(1)
  })

  it('is started by a command that needs it, which says so', async () => {
    const { code, err } = await run(['plan', '1.1.0'])
    expect(err).toContain('Starting the controller of this folder')
    expect(code).toBe(13)
    expect(running()).toHaveLength(1)
  })

  it('is not started by a command that only looks', async () => {
    expect((await run(['status'])).code).toBe(20)
    expect(running()).toHaveLength(0)
  })

  it('stops only the controller with --controller-only', async () => {
    await run(['up'])
    const { code, out } = await run(['down', '--controller-only'])
    expect(code).toBe(0)
    expect(out).toContain('Traffic flows on')
    expect(running()).toHaveLength(0)
  })

  it('asks before it stops what is serving', async () => {
    await run(['up'])
    const nobody = await run(['down'])
    expect(nobody.code).toBe(13)
    expect(nobody.err).toContain('shop.local 1.0.0 on 127.0.0.1:8080')
    expect((await run(['down'], createTestTerminal('n'))).code).toBe(13)
    expect(running()).toHaveLength(1)
    expect((await run(['down'], createTestTerminal('y'))).code).toBe(0)
    expect(running()).toHaveLength(0)
    expect((await run(['down'])).out).toContain('Nothing runs in this folder')
  })

  it('shows the end of the log when the controller does not start', async () => {
    writeFileSync(
      path.join(project.folder, 'failing.mjs'),
      'console.error("address in use: 127.0.0.1:4900"); process.exit(1)',
    )
    const io = createTestIo({
      cwd: project.folder,
      program: [process.execPath, path.join(project.folder, 'failing.mjs')],
    })
    expect(await runCli(['up'], io)).toBe(20)
    expect(io.stderr()).toContain('ended right after its start')
    expect(io.stderr()).toContain('address in use: 127.0.0.1:4900')
    expect(io.stderr()).toContain('controller.log')
  })

  it('finds open modes, leftovers, orphans and taken ports', async () => {
    await run(['up'])
    chmodSync(project.stateFolder, 0o755)
    chmodSync(path.join(project.stateFolder, 'token'), 0o644)
    writeFileSync(path.join(project.stateFolder, 'agent.pid'), '4194303\n')
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    writeFileSync(
      path.join(project.folder, 'sluice.yaml'),
      `service: shop\nrun: { artifact: ., command: node server.js }\nlisten: 127.0.0.1:${port}\nhealth: { path: /up }\n`,
    )
    const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      cwd: project.stateFolder,
      env: { SLUICE_INSTANCE: 'shop-77' },
    })
    await new Promise((resolve) => orphan.once('spawn', resolve))
    const { code, io } = await run(['doctor', '--json'])
    orphan.kill('SIGKILL')
    server.close()
    expect(code).toBe(1)
    const [report] = io.documents()
    const messages = JSON.stringify(report)
    expect(messages).toContain('has mode 0755, it must be 0700')
    expect(messages).toContain('has mode 0644, others could use it')
    expect(messages).toContain('names process 4194303, which is gone')
    expect(messages).toContain('runs as instance shop-77, which no set knows')
    expect(messages).toContain(`is taken by process ${process.pid}`)
  })
})
