import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommandQuery } from '../../../core/shared/metric-definition.ts'
import { metricProviderConformance } from '../../../testkit/conformance/metric-provider.ts'
import { metricOf } from '../../../testkit/metric-definition.test.kit.ts'
import { createCommandProvider } from './command.ts'

const SECRET = 'k3y-of-the-shop-77'
const queryOf = (command: string[], secrets: string[] = []): CommandQuery => ({
  provider: 'command',
  command,
  secrets,
})
const node = (script: string): string[] => [process.execPath, '-e', script]

/** Adds up the lines `version atMs numbers` of a file that lie in the window. */
const READER = `
  const { SLUICE_KIND: kind, SLUICE_VERSION: version, SLUICE_WINDOW_FROM_MS: from, SLUICE_WINDOW_TO_MS: to } = process.env
  if (!process.env.SHOP_KEY) process.exit(9)
  if (Number(process.env.SLUICE_WINDOW_FROM) * 1000 !== Number(from)) process.exit(8)
  const rows = require('fs').readFileSync('rows', 'utf8').split('\\n').filter(Boolean).map((line) => JSON.parse(line))
    .filter((row) => row.version === version && row.at >= from && row.at < to && row.numbers.kind === kind)
  if (rows.length === 0) console.log('{"noData": true}')
  else if (kind === 'histogram') {
    const counts = rows[0].numbers.counts
    console.log(JSON.stringify({ buckets: [0.1, 0.5, 1, null].map((le, i) => ({ le, count: counts[i] })) }))
  } else {
    const sum = {}
    for (const { numbers } of rows) for (const [key, n] of Object.entries(numbers)) if (key !== 'kind') sum[key] = (sum[key] ?? 0) + n
    console.log(JSON.stringify(sum))
  }`

metricProviderConformance('command', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-metric-'))
  const rows = join(folder, 'rows')
  writeFileSync(rows, '')
  const query = queryOf(node(READER), ['SHOP_KEY'])
  const write = async (version: string, at: number, numbers: object) =>
    writeFileSync(rows, `${JSON.stringify({ version, at, numbers })}\n`, { flag: 'a' })
  const saying = (script: string) => () => metricOf('ratio', queryOf(node(script), ['SHOP_KEY']))
  return {
    provider: createCommandProvider({
      secretOf: (name) => (name === 'SHOP_KEY' ? SECRET : null),
      cwd: folder,
    }),
    subject: { service: 'shop', environment: 'local' },
    metric: {
      ratio: metricOf('ratio', query),
      rate: metricOf('rate', query),
      histogram: metricOf('histogram', query),
      value: metricOf('value', query),
    },
    put: async (version, numbers) => {
      const at = Date.now()
      await write(version, at, numbers)
      return { fromMs: at - 1000, toMs: at + 1000 }
    },
    putAt: write,
    reset: { skip: 'a program gives numbers of a window, no running counters' },
    trouble: {
      unreachable: saying('console.error(process.env.SHOP_KEY, "is not welcome"); process.exit(3)'),
      timeout: () => metricOf('ratio', queryOf(node('setInterval(() => 1, 1000)')), { timeoutMs: 300 }),
      unauthorized: { skip: 'a program logs in by itself' },
      rateLimited: { skip: 'a program has no status 429' },
      tooLarge: saying('process.stdout.write("x".repeat(1e6)); setInterval(() => 1, 1000)'),
      redirected: { skip: 'a program answers by itself' },
      severalSeries: { skip: 'the answer is one object; a list is unreadable' },
      refused: { skip: 'there is no query beside the program' },
      unreadable: saying('console.log(process.env.SHOP_KEY)'),
      missingSecret: () => metricOf('ratio', queryOf(['true'], ['NOBODY_SET_IT'])),
      nan: saying(`console.log('{"bad": "NaN", "total": 5}')`),
      infinity: saying(`console.log('{"bad": 1, "total": 1e999}')`),
      negative: saying(`console.log('{"bad": -1, "total": 5}')`),
    },
    secrets: [SECRET],
    dispose: async () => rmSync(folder, { recursive: true }),
  }
})

describe('the command provider', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-metric-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const ask = (query: CommandQuery, of: { timeoutMs?: number; env?: Record<string, string> } = {}) => {
    const {
      env = { PATH: process.env.PATH ?? '', HOME: '/home/x', DATABASE_URL: 'postgres://secret' },
      ...rest
    } = of
    return createCommandProvider({ secretOf: () => SECRET, cwd: folder, env }).sample({
      metric: metricOf('ratio', query, rest),
      subject: { service: 'shop', environment: 'production', version: '1.4.0', release: '1.4.0-0123456789' },
      window: { fromMs: 1_700_000_000_500, toMs: 1_700_000_030_500 },
    })
  }

  it('gives the program what is asked for, and nothing of the secrets of its own', async () => {
    await ask(queryOf(['/bin/sh', '-c', 'env > seen; echo "$0 $1"', '{{version}}', '{{from}}']))
    const seen = readFileSync(join(folder, 'seen'), 'utf8')
    for (const line of [
      'SLUICE_VERSION=1.4.0',
      'SLUICE_RELEASE=1.4.0-0123456789',
      'SLUICE_SERVICE=shop',
      'SLUICE_ENVIRONMENT=production',
      'SLUICE_WINDOW_FROM=1700000000.5',
      'SLUICE_WINDOW_TO_MS=1700000030500',
      'HOME=/home/x',
    ])
      expect(seen).toContain(`${line}\n`)
    expect(seen).not.toContain('postgres://secret')
  })

  it('shows the last lines of what a failing program said, without its secrets', async () => {
    const lines =
      'for (let n = 1; n < 20; n++) console.error("line", n, process.env.KEY); process.exitCode = 7'
    const reading = await ask(queryOf(node(lines), ['KEY']))
    expect(reading).toMatchObject({
      kind: 'failure',
      problem: { code: 'METRIC_COMMAND_FAILED', message: expect.stringContaining('code 7') },
    })
    const cause = reading.kind === 'failure' ? `${reading.problem.cause}` : ''
    expect(cause.split('\n')).toEqual([15, 16, 17, 18, 19].map((n) => `line ${n} [redacted]`))
  })

  it('kills the whole group of a program that does not end', async () => {
    const reading = await ask(queryOf(['/bin/sh', '-c', 'sleep 600 & echo $! > pid; wait']), {
      timeoutMs: 2000,
    })
    expect(reading).toMatchObject({ kind: 'failure', problem: { code: 'METRIC_TIMEOUT' } })
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false)
  })

  it('never lets a shell read the words of the file', async () => {
    await ask(queryOf(['/bin/echo', '$(touch pwned)', ';', 'touch', 'pwned']))
    expect(() => readFileSync(join(folder, 'pwned'))).toThrow()
  })

  it('says what cannot be started', async () => {
    expect(await ask(queryOf(['/no/such/program']))).toMatchObject({
      problem: { code: 'METRIC_COMMAND_FAILED', message: expect.stringContaining('/no/such/program') },
    })
  })
})

/** A zombie answers to signal 0, but it does not run. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
