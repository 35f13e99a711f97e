import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openMetricTester } from '../controller/metric-tester.ts'
import { createTestIo } from './fixture/test-io.test.fixture.ts'
import { runCli } from './main.ts'

const FILE = `service: shop
run: { command: "node server.js --port {{port}}" }
listen: 127.0.0.1:8080
health: { path: /up }
analysis:
  metrics:
    - name: payments
      kind: ratio
      sql:
        file: ./shop.db
        query: |
          SELECT sum(failed) AS bad, count(*) AS total
          FROM payments WHERE version = :version AND at >= :from AND at < :to
    - name: revenue
      kind: value
      command: { run: [sh, -c, 'test "$KEY" = "$(cat key)" && echo "{\\"value\\": 10}" || exit 4'], secrets: [KEY] }
    - name: latency
      kind: histogram
      builtin: {}
`

describe('sluice metrics test', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-metrics-'))
    writeFileSync(join(folder, 'sluice.yaml'), FILE)
    writeFileSync(join(folder, 'key'), 'k3y-value')
    const database = new DatabaseSync(join(folder, 'shop.db'))
    database.exec('CREATE TABLE payments (version text, at real, failed int)')
    const insert = database.prepare('INSERT INTO payments VALUES (?, ?, ?)')
    const now = Date.now() / 1000
    // In one transaction: each would wait for the disk by itself.
    database.exec('BEGIN')
    for (let index = 0; index < 400; index += 1) {
      insert.run('1.3.0', now - 10, 0)
      insert.run('1.4.0', now - 10, index % 10 === 0 ? 1 : 0)
    }
    database.exec('COMMIT')
    database.close()
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const run = async (
    words: string[],
    env: Record<string, string> = { KEY: 'k3y-value', PATH: process.env.PATH ?? '' },
  ) => {
    const io = {
      ...createTestIo({ cwd: folder, env }),
      metrics: async (place: { stateFolder: string; folder: string }) => openMetricTester({ ...place, env }),
    }
    const code = await runCli(['metrics', 'test', ...words], io)
    return { code, out: io.stdout(), err: io.stderr(), documents: io.documents }
  }

  it('shows query, window, numbers of both versions and what the rule says, without a controller', async () => {
    const { code, out } = await run([
      'payments',
      '--version',
      '1.4.0',
      '--against',
      '1.3.0',
      '--window',
      '1m',
    ])
    expect(code).toBe(0)
    expect(out).toContain('payments  ratio from sql, tier warning')
    expect(out).toContain('candidate 1.4.0: 40 of 400 (10%)  in 1m up to')
    expect(out).toContain('stable 1.3.0: 0 of 400 (0%)')
    expect(out).toContain('asked: FROM payments WHERE version = :version')
    expect(out).toMatch(/ {2}worse: payments: candidate 10% \(40 of 400\)/)
  })

  it('tells no data (14) from a provider that fails (1), and never shows a secret', async () => {
    const none = await run(['payments', '--version', '9.9.9'])
    expect(none.code).toBe(14)
    expect(none.out).toContain('candidate 9.9.9: no data: There is nothing for bad, while total is 0.')
    const wrong = await run(['revenue', '--version', '1.4.0'], {
      KEY: 'another-value',
      PATH: process.env.PATH ?? '',
    })
    expect(wrong.code).toBe(1)
    expect(wrong.out).toContain('METRIC_COMMAND_FAILED')
    const missing = await run(['revenue', '--version', '1.4.0'], {})
    expect(missing.out).toContain('The secret KEY of the metric revenue is not set.')
    expect(none.out + wrong.out + missing.out).not.toMatch(/k3y-value|another-value/)
  })

  it('reads secrets where the controller does, and refuses a file that others can read', async () => {
    mkdirSync(join(folder, '.sluice'))
    const secrets = join(folder, '.sluice', 'secrets.env')
    writeFileSync(secrets, 'KEY=k3y-value\n', { mode: 0o600 })
    const env = { PATH: process.env.PATH ?? '' }
    const { code, out } = await run(['revenue', '--version', '1.4.0'], env)
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('candidate 1.4.0: 10') })
    chmodSync(secrets, 0o644)
    const exposed = await run(['revenue', '--version', '1.4.0'], env)
    expect(exposed.err).toContain('SECRET_FILE_EXPOSED')
  })

  it('counts metrics of the data plane from now on, and says when there is none', async () => {
    const { code, out, err } = await run(['latency', '--version', '1.4.0', '--wait', '50ms'])
    expect(err).toContain('The data plane counts from now on: 50ms...')
    expect(out).toContain('COUNTS_UNREADABLE')
    expect(code).toBe(1)
  })

  it('gives the same as one document', async () => {
    const { documents } = await run(['--version', '1.4.0', '--against', '1.3.0', '--wait', '50ms', '--json'])
    expect(documents()).toMatchObject([
      {
        type: 'metrics-test',
        candidate: '1.4.0',
        stable: '1.3.0',
        metrics: [
          {
            name: 'payments',
            candidate: { kind: 'sample', sample: { bad: 40 } },
            rule: { verdict: 'worse' },
          },
          { name: 'revenue', rule: { verdict: 'not-worse' } },
          { name: 'latency', rule: { verdict: 'provider-broken' } },
        ],
      },
    ])
  })

  it.each([
    [['payment', '--version', '1'], 'METRIC_UNKNOWN', 'Did you mean "payments"?'],
    [['payments'], 'USAGE', '--version 1.4.0 --against 1.3.0'],
    [['payments', '--version', '1', '--window', 'soon'], 'USAGE', '--help'],
  ])('refuses what cannot be: %s', async (words, problemCode, remedy) => {
    const { code, err } = await run(words)
    expect(code).toBe(2)
    expect(err).toContain(problemCode)
    expect(err).toContain(remedy)
  })
})
