import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AgentFixture, createAgentFixture, HEALTH, setPath, tokenOf, waitFor } from './agent-fixture.ts'
import { familyOf, findProcess } from './processes/process-table.ts'

describe('instances under the agent', () => {
  let fixture: AgentFixture
  beforeEach(async () => {
    fixture = await createAgentFixture()
    await fixture.launch({ env: { AGENT_ONLY: 'not for instances' } })
  })
  afterEach(() => fixture.close())

  const untilState = async (state: string) => {
    const [instance] = await fixture.until((all) => all.some((one) => one.state === state))
    if (instance === undefined) throw new Error('no instance')
    return instance
  }

  /** The state `crashed` itself is over after half a second; who looks seldom may miss it. */
  const untilCrashed = async () => {
    const [instance] = await fixture.until((all) => all.some((one) => one.crashes === 1))
    if (instance === undefined) throw new Error('no instance')
    return instance
  }

  it('get a session, a port, the version and a small environment of their own', async () => {
    const env = { GREETING: 'v{{version}} on {{port}}' }
    await fixture.put(fixture.spec('shop@1', { env }), 2, 1)
    const [one, other] = await fixture.until(
      (all) => all.filter(({ state }) => state === 'ready').length === 2,
    )
    expect(one!.port).not.toBe(other!.port)
    const row = findProcess(one!.pid!)
    expect(row).toMatchObject({ group: one!.pid, session: one!.pid })
    const seen = JSON.parse(await fixture.ask(one!.port, '/env'))
    expect(seen.argv).toEqual(['--port', String(one!.port)])
    expect(seen.cwd).toBe(join(fixture.folder, 'app'))
    expect(seen.env).toMatchObject({
      PORT: String(one!.port),
      SLUICE_VERSION: '1.0.0',
      SLUICE_INSTANCE: one!.id,
      GREETING: `v1.0.0 on ${one!.port}`,
    })
    expect(Object.keys(seen.env)).not.toContain('AGENT_ONLY')
  })

  it('are restarted after a crash under the same id, and keep their exit status', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const before = await untilState('ready')
    await fixture.ask(before.port, '/crash').catch(() => {})
    const crashed = await untilCrashed()
    expect(crashed.lastExit).toMatchObject({ code: 7, cause: 'exited' })
    expect(crashed.logTail).toContain('hello from shop@1')
    const after = await untilState('ready')
    expect(after).toMatchObject({ id: before.id, port: before.port, crashes: 1 })
    expect(after.pid).not.toBe(before.pid)
    expect(after.startedAt - crashed.lastExit!.at).toBeGreaterThanOrEqual(450)
  })

  it('that crash again and again fail at the readiness deadline, with the reason', async () => {
    const health = { ...HEALTH, deadlineMs: 6000 }
    await fixture.put(fixture.spec('shop@1', { env: { MODE: 'exit' }, health }), 1, 1)
    const failed = await untilState('failed')
    expect(failed.crashes).toBeGreaterThanOrEqual(2)
    expect(failed.lastProbeFailure).toMatchObject({
      kind: 'exited',
      message: expect.stringMatching(/exited with code 3/),
    })
  })

  it('whose program is missing or not executable say so', async () => {
    const health = { ...HEALTH, deadlineMs: 1200 }
    await fixture.put(fixture.spec('shop@1', { command: ['no-such-program'], health }), 1, 1)
    expect((await untilState('failed')).lastProbeFailure?.message).toMatch(
      /no-such-program was not found \(ENOENT\)/,
    )
    await fixture.remove('shop@1', 2)
    await fixture.put(fixture.spec('shop@2', { command: ['./app.mjs'], health }), 1, 3)
    await fixture.until((all) =>
      all.some(
        ({ release, lastProbeFailure }) =>
          release === 'shop@2' && /EACCES/.test(lastProbeFailure?.message ?? ''),
      ),
    )
  })

  it.each([
    ['redirect', 'redirect', /answered 302 to \/login: redirects are not followed/],
    ['sick', 'status', /GET http:\/\/127\.0\.0\.1:\d+\/up answered 503: "warming up with/],
    ['wrong-port', 'wrong-port', /listens on \d+, expected \d+: does the command use \{\{port\}\} or PORT\?/],
  ])(
    'that answer their health check with %s are reported as such and left running',
    async (MODE, kind, message) => {
      const health = { ...HEALTH, deadlineMs: 3000 }
      await fixture.put(fixture.spec('shop@1', { env: { MODE }, health }), 1, 1)
      const failed = await untilState('failed')
      expect(failed.lastProbeFailure).toMatchObject({ kind, message: expect.stringMatching(message) })
      expect(failed.logTail).toContain('hello from shop@1')
      expect(findProcess(failed.pid!)).not.toBeNull()
    },
  )

  it('become unready after failures in a row and ready again after successes', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const ready = await untilState('ready')
    await fixture.ask(ready.port, '/toggle')
    expect(await untilState('unready')).toMatchObject({ pid: ready.pid, readyAt: null })
    await fixture.ask(ready.port, '/toggle')
    expect(await untilState('ready')).toMatchObject({ pid: ready.pid, crashes: 0 })
  })

  it('are stopped with everybody in their group, also those who ignore SIGTERM', async () => {
    await fixture.put(fixture.spec('shop@1', { env: { MODE: 'stubborn' }, stopGraceMs: 2000 }), 1, 1)
    const ready = await untilState('ready')
    const leader = findProcess(ready.pid!)!
    expect(familyOf(leader).length).toBeGreaterThanOrEqual(2)
    await fixture.remove('shop@1', 2)
    expect((await untilState('stopping')).pid).toBe(ready.pid)
    const gone = await untilState('gone')
    expect(gone.lastExit).toMatchObject({ signal: 'SIGKILL', cause: 'stopped-by-us' })
    expect(familyOf(leader)).toEqual([])
    const logs = await fixture.call('GET', '/services/shop/logs')
    expect(JSON.stringify(logs.body)).toContain('ignored SIGTERM')
  })

  it('killed by somebody else are not called out of memory', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    process.kill((await untilState('ready')).pid!, 'SIGKILL')
    expect((await untilCrashed()).lastExit).toMatchObject({
      signal: 'SIGKILL',
      cause: 'killed-unknown',
    })
  })

  it('take another port when theirs is in use', async () => {
    // The port is free when it is chosen and taken when the program starts, as on a busy host.
    const marker = join(fixture.folder, 'marker')
    const script = `if [ ! -e ${marker} ]; then echo $PORT > ${marker}; echo "Error: listen EADDRINUSE" >&2; exit 1; fi; exec "$0" app.mjs`
    await fixture.put(fixture.spec('shop@1', { command: ['sh', '-c', script, process.execPath] }), 1, 1)
    await waitFor(() => existsSync(marker) && readFileSync(marker, 'utf8') !== '')
    const first = Number(readFileSync(marker, 'utf8'))
    const squatter = createServer()
    await new Promise<void>((resolve) => squatter.listen(first, '127.0.0.1', resolve))
    const ready = await untilState('ready')
    squatter.close()
    expect(ready).toMatchObject({ crashes: 1 })
    expect(ready.port).not.toBe(first)
  })

  it('are told to take no new work only if they survive the signal', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const ready = await untilState('ready')
    await fixture.put(fixture.spec('shop@2', { command: ['sleep', '60'] }), 1, 2)
    await fixture.until((all) => all.some(({ release, pid }) => release === 'shop@2' && pid !== null))
    expect((await fixture.call('POST', `${setPath('shop@1')}/quiesce`, { token: tokenOf(3) })).status).toBe(
      200,
    )
    await fixture.call('POST', `${setPath('shop@2')}/quiesce`, { token: tokenOf(3) })
    await waitFor(async () =>
      JSON.stringify((await fixture.call('GET', '/services/shop/logs')).body).includes('quiesced'),
    )
    expect((await fixture.observe()).instances.map(({ crashes }) => crashes)).toEqual([0, 0])
    expect(findProcess(ready.pid!)).not.toBeNull()
  })

  it('killed for want of memory in a cgroup of their own are reported as such', async ({ skip }) => {
    const group = `/sys/fs/cgroup/memory/sluice-test-${process.pid}`
    try {
      mkdirSync(group)
      writeFileSync(join(group, 'memory.limit_in_bytes'), String(64 * 1024 * 1024))
      writeFileSync(join(group, 'tasks'), '')
    } catch {
      return skip('no memory cgroup can be made here')
    }
    try {
      const hog = 'setTimeout(() => { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)) }, 2500)'
      const script = `echo $$ > ${group}/cgroup.procs && exec "$0" -e '${hog}'`
      await fixture.put(fixture.spec('shop@1', { command: ['sh', '-c', script, process.execPath] }), 1, 1)
      const crashed = await untilCrashed()
      expect(crashed.lastExit).toMatchObject({ signal: 'SIGKILL', cause: 'oom' })
      expect(crashed.lastProbeFailure?.message).toMatch(/ran out of memory/)
      await fixture.remove('shop@1', 2)
      await untilState('gone')
    } finally {
      rmdirSync(group)
    }
  })

  describe('with secrets', () => {
    const secretFile = () => join(fixture.folder, 'secrets.env')
    const TOKEN = 'tr"icky/secret+value'

    it('get their values, which are redacted from everything that comes back', async () => {
      writeFileSync(secretFile(), `# comment\nexport TOKEN='${TOKEN}'\n`, { mode: 0o600 })
      const health = { ...HEALTH, deadlineMs: 3000 }
      await fixture.put(fixture.spec('shop@1', { secrets: ['TOKEN'], env: { MODE: 'sick' }, health }), 1, 1)
      const failed = await untilState('failed')
      expect(JSON.parse(await fixture.ask(failed.port, '/env')).env.TOKEN).toBe(TOKEN)
      expect(failed.lastProbeFailure?.message).toMatch(/warming up with \[redacted\]/)
      expect(failed.logTail).toContain('token=[redacted] json={"TOKEN":"[redacted]"}')
      const logs = await fixture.call('GET', '/services/shop/logs')
      expect(JSON.stringify(logs.body)).not.toMatch(/icky.secret/)
      expect(readFileSync(join(fixture.agentFolder, 'agent.json'), 'utf8')).not.toMatch(/icky.secret/)
      const versions = (await fixture.call('GET', '/secrets/versions?name=TOKEN')).body
      expect(versions).toEqual({ TOKEN: expect.stringMatching(/^[0-9a-f]{12}$/) })
      writeFileSync(secretFile(), 'TOKEN=other-value\n')
      expect((await fixture.call('GET', '/secrets/versions?name=TOKEN')).body).not.toEqual(versions)
    })

    it('fail by name when one is missing or the file is open to others', async () => {
      await fixture.put(fixture.spec('shop@1', { secrets: ['PAYMENT_KEY'] }), 1, 1)
      const failed = await untilState('failed')
      expect(failed.lastProbeFailure?.message).toMatch(
        /^SECRET_MISSING: secret "PAYMENT_KEY" is neither in .*secrets\.env nor/,
      )
      writeFileSync(secretFile(), 'PAYMENT_KEY=x\n', { mode: 0o600 })
      chmodSync(secretFile(), 0o644)
      const versions = await fixture.call('GET', '/secrets/versions?name=PAYMENT_KEY')
      expect(versions).toMatchObject({ status: 409, body: { problem: { code: 'SECRET_FILE_EXPOSED' } } })
    })
  })
})
