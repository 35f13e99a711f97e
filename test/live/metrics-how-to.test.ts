import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createTestIo } from '../../src/cli/fixture/test-io.test.fixture.ts'
import { runCli } from '../../src/cli/main.ts'
import { openMetricTester } from '../../src/controller/metric-tester.ts'
import { postgresMissing, startPostgres } from '../../src/testkit/servers/postgres.test.kit.ts'
import { prometheusMissing, startPrometheus } from '../../src/testkit/servers/prometheus.test.kit.ts'
import { startTroubleServer } from '../../src/testkit/servers/trouble-server.test.kit.ts'

const HOW_TO = readFileSync(
  new URL('../../docs/how-to/use-metrics-from-elsewhere.md', import.meta.url),
  'utf8',
)
/** The example below a heading. */
const exampleOf = (title: string): string =>
  new RegExp(`## ${title}\n[^]*?\`\`\`yaml\n([^]*?)\`\`\``).exec(HOW_TO)?.[1] ?? ''
const HEAD = `service: shop
run: { command: "node server.js --port {{port}}" }
listen: 127.0.0.1:8080
health: { path: /up }
`
const Tested = z.object({
  metrics: z.array(
    z.object({
      name: z.string(),
      candidate: z.object({
        kind: z.string(),
        sample: z.unknown().optional(),
        problem: z.unknown().optional(),
      }),
      stable: z.object({ kind: z.string(), sample: z.unknown().optional() }),
      rule: z.object({ verdict: z.string() }),
    }),
  ),
})

describe('every example of the how-to about metrics works', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-how-to-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const test = async (yaml: string, env: Record<string, string> = {}) => {
    writeFileSync(join(folder, 'sluice.yaml'), HEAD + yaml)
    const world = { PATH: process.env.PATH ?? '', ...env }
    const io = {
      ...createTestIo({ cwd: folder, env: world }),
      metrics: async (place: { stateFolder: string; folder: string }) =>
        openMetricTester({ ...place, env: world }),
    }
    await runCli(
      ['metrics', 'test', '--version', '1.4.0', '--against', '1.3.0', '--wait', '10ms', '--json'],
      io,
    )
    const [document] = io.documents()
    return Tested.parse(document, { error: () => JSON.stringify(document) }).metrics
  }

  it.skipIf(prometheusMissing !== null)('Prometheus', async () => {
    let bad = 0
    const service = await startTroubleServer((_, response) =>
      response.end(
        ['1.3.0', '1.4.0']
          .flatMap((version) => {
            const label = `version="${version}"`
            return [
              `payments_failed_total{${label}} ${version === '1.4.0' ? bad : 0}`,
              `payments_total{${label}} ${10 * bad}`,
              ...['0.1', '0.5', '1', '+Inf'].map(
                (le) => `queue_delay_seconds_bucket{${label},le="${le}"} ${bad}`,
              ),
            ]
          })
          .join('\n')
          .concat('\n'),
      ),
    )
    const server = await startPrometheus(service.address.replace('http://', ''))
    const yaml = exampleOf('From Prometheus').replaceAll('http://127.0.0.1:9090', server.address)
    const counted = async () => {
      bad += 100
      const [payments, delay] = await test(yaml, { PROMETHEUS_TOKEN: 'x' })
      return [payments?.rule.verdict, delay?.candidate.kind]
    }
    await expect.poll(counted, { timeout: 30_000 }).toEqual(['worse', 'sample'])
    await server.dispose()
    await service.close()
  })

  it('JSON over HTTP', async () => {
    const server = await startTroubleServer((request, response) => {
      const known =
        /version=1\.[34]\.0&from=\d+\.?\d*&to=\d+/.test(request.url ?? '') &&
        request.headers['x-api-key'] === 'x'
      const steps = [
        { name: 'visited', count: 1000 },
        { name: 'signed-up', count: 120 },
      ]
      response.writeHead(known ? 200 : 400).end(JSON.stringify({ steps }))
    })
    const yaml = exampleOf('From JSON over HTTP').replaceAll('http://127.0.0.1:8090', server.address)
    expect(await test(yaml, { FUNNEL_KEY: 'x' })).toMatchObject([
      { candidate: { sample: { bad: 120, total: 1000 } } },
    ])
    await server.close()
  })

  it.skipIf(postgresMissing !== null)('databases', async () => {
    const server = await startPostgres()
    await server.sql(`CREATE TABLE visits (version text, seen_at timestamptz, ordered_at timestamptz);
      INSERT INTO visits SELECT '1.4.0', now() - interval '1 minute', CASE WHEN n % 4 = 0 THEN now() END FROM generate_series(1, 400) AS n;
      INSERT INTO visits SELECT '1.3.0', now() - interval '1 minute', now() FROM generate_series(1, 400) AS n`)
    const database = new DatabaseSync(join(folder, 'shop.db'))
    database.exec('CREATE TABLE orders (version text, at_ms int, amount real)')
    for (const [version, amount] of [
      ['1.4.0', 80],
      ['1.3.0', 100],
    ] as const)
      database.prepare('INSERT INTO orders VALUES (?, ?, ?)').run(version, Date.now() - 1000, amount)
    expect(await test(exampleOf('From a database'), { SHOP_DATABASE_URL: server.url })).toMatchObject([
      { candidate: { sample: { bad: 100, total: 400 } }, rule: { verdict: 'worse' } },
      { candidate: { sample: { value: 80 } }, rule: { verdict: 'worse' } },
    ])
    database.close()
    await server.dispose()
  })

  it('a command', async () => {
    writeFileSync(
      join(folder, 'count-warnings.js'),
      `console.log(JSON.stringify({ events: process.env.LOG_KEY === 'x' ? 3 : null, exposure: 1000 }))`,
    )
    symlinkSync(process.execPath, join(folder, 'node'))
    expect(
      await test(exampleOf('From a command'), { LOG_KEY: 'x', PATH: `${folder}:${process.env.PATH}` }),
    ).toMatchObject([{ candidate: { sample: { events: 3, exposure: 1000 } } }])
  })

  it('the data plane, which is asked although none runs here', async () => {
    expect(await test(exampleOf('From the data plane, for one route'))).toMatchObject([
      { name: 'checkout-errors', candidate: { problem: { code: 'COUNTS_UNREADABLE' } } },
      { name: 'checkout-latency', candidate: { problem: { code: 'COUNTS_UNREADABLE' } } },
    ])
  })
})
