import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { notifierConformance } from '../../../testkit/conformance/notifier.ts'
import { createCommandNotifier } from './command.ts'

const MESSAGE = {
  type: 'rollout.promoted',
  timestamp: '2026-01-02T03:04:05.000Z',
  severity: 'info' as const,
  summary: '$(touch pwned); `touch pwned`',
  data: {},
}
const Line = z.object({
  key: z.string(),
  type: z.string(),
  timestamp: z.string(),
  severity: z.enum(['info', 'warning', 'error', 'critical']),
  summary: z.string(),
  data: z.record(z.string(), z.unknown()),
})

notifierConformance('command', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-command-'))
  const broken = join(folder, 'broken')
  // Each run writes a file of its own, named by time, so that runs at the same time do not mix.
  const script = `if (require('fs').existsSync(${JSON.stringify(broken)})) process.exit(3)
    let t = ''; process.stdin.on('data', (d) => (t += d)).on('end', () =>
      require('fs').writeFileSync(${JSON.stringify(folder)} + '/m' + process.hrtime.bigint() + '-' + process.pid, t))`
  return {
    notifier: notifierOf([process.execPath, '-e', script]),
    arrived: async () =>
      readdirSync(folder)
        .filter((name) => name.startsWith('m'))
        .sort()
        .map((name) => {
          const { key, ...fields } = Line.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')))
          return { key, fields }
        }),
    breakReceiver: async (isBroken) => (isBroken ? writeFileSync(broken, '') : rmSync(broken)),
    dispose: async () => rmSync(folder, { recursive: true }),
  }
})

describe('command notifier', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-command-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('gives event and key in the environment, and none of the secrets of its own', async () => {
    const out = join(folder, 'env')
    const env = { PATH: process.env.PATH, HOME: '/home/x', DATABASE_URL: 'postgres://secret' }
    const made = createCommandNotifier({ command: ['/bin/sh', '-c', `env > '${out}'`], env })
    expect(made.kind === 'ok' && (await made.value.send(MESSAGE, 'k-1'))).toEqual({
      kind: 'ok',
      value: undefined,
    })
    const seen = readFileSync(out, 'utf8')
    expect(seen).toContain('SLUICE_EVENT=rollout.promoted\n')
    expect(seen).toContain('SLUICE_KEY=k-1\n')
    expect(seen).toContain('HOME=/home/x\n')
    expect(seen).not.toContain('secret')
  })

  it('never lets a shell read the message', async () => {
    const program = [
      process.execPath,
      '-e',
      `process.chdir(${JSON.stringify(folder)}); process.stdin.resume()`,
    ]
    await notifierOf([...program, '$(touch pwned)']).send(MESSAGE, '$(touch pwned)')
    expect(existsSync(join(folder, 'pwned'))).toBe(false)
  })

  it('keeps the last 4 KiB of the output for the error', async () => {
    const result = await notifierOf([
      process.execPath,
      '-e',
      'process.stderr.write("x".repeat(100000) + "THE END"); process.exitCode = 9',
    ]).send(MESSAGE, 'k')
    expect(result).toMatchObject({
      problem: { code: 'NOTIFY_COMMAND_FAILED', message: expect.stringContaining('code 9') },
    })
    const cause = result.kind === 'failed' ? `${result.problem.cause}` : ''
    expect(cause.endsWith('THE END')).toBe(true)
    expect(cause.length).toBeLessThanOrEqual(4096)
  })

  it('kills the whole group of a command that does not end', async () => {
    const pidFile = join(folder, 'pid')
    const command = ['/bin/sh', '-c', `sleep 600 & echo $! > '${pidFile}'; wait`]
    const result = await notifierOf(command, 2000).send(MESSAGE, 'k')
    expect(result).toMatchObject({ problem: { code: 'NOTIFY_TIMEOUT', retryable: true } })
    const pid = Number(readFileSync(pidFile, 'utf8'))
    await expect.poll(() => isRunning(pid)).toBe(false)
  })

  it('does not wait for what the command left in the background', async () => {
    const pidFile = join(folder, 'pid')
    const command = ['/bin/sh', '-c', `sleep 600 & echo $! > '${pidFile}'`]
    expect(await notifierOf(command).send(MESSAGE, 'k')).toMatchObject({ kind: 'ok' })
    const pid = Number(readFileSync(pidFile, 'utf8'))
    expect(isRunning(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })

  it('succeeds when the command never reads its input', async () => {
    const large = { ...MESSAGE, data: { text: 'x'.repeat(500_000) } }
    expect(await notifierOf(['/bin/true']).send(large, 'k')).toMatchObject({ kind: 'ok' })
  })

  it('says what cannot be started', async () => {
    const result = await notifierOf(['/no/such/program']).send(MESSAGE, 'k')
    expect(result).toMatchObject({
      problem: { code: 'NOTIFY_COMMAND_NOT_STARTED', message: expect.stringContaining('/no/such/program') },
    })
    expect(createCommandNotifier({ command: [] })).toMatchObject({
      problem: { code: 'NOTIFY_COMMAND_INVALID' },
    })
  })
})

function notifierOf(command: string[], timeoutMs = 60_000) {
  const made = createCommandNotifier({ command, timeoutMs })
  if (made.kind === 'ok') return made.value
  throw new Error(made.problem.message)
}

/** A zombie answers to signal 0, but it does not run. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
