import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MetricKind, SqlQuery } from '../../../core/shared/metric-definition.ts'
import {
  type MetricProviderSetup,
  metricProviderConformance,
  type Put,
} from '../../../testkit/conformance/metric-provider.ts'
import { metricOf } from '../../../testkit/metric-definition.test.kit.ts'
import {
  PASSWORD,
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../../testkit/servers/postgres.test.kit.ts'
import { createSqlProvider } from './sql.ts'

const TABLE = 'CREATE TABLE counted (version text, at_ms bigint, kind text, part text, n double precision)'
const SUBJECT = { service: 'shop', environment: 'local' }

/** The same queries for both databases; one asks in milliseconds, one in seconds. */
const QUERIES: Record<MetricKind, string> = {
  ratio: `SELECT sum(CASE WHEN part = 'bad' THEN n END) AS bad, sum(CASE WHEN part = 'total' THEN n END) AS total
    FROM counted WHERE version = :version AND at_ms >= :fromMs AND at_ms < :toMs AND kind = 'ratio' -- not :nobody`,
  rate: `SELECT sum(CASE WHEN part = 'events' THEN n END) AS events, sum(CASE WHEN part = 'exposure' THEN n END) AS exposure
    FROM counted WHERE version = :version AND at_ms >= 1000 * :from AND at_ms < 1000 * :to AND kind = 'rate';`,
  histogram: `SELECT CASE part WHEN 'open' THEN NULL ELSE CAST(part AS real) END AS le, n AS count
    FROM counted WHERE version = :version AND at_ms >= :fromMs AND at_ms < :toMs AND kind = 'histogram' AND n > 0`,
  value: `SELECT n AS value FROM counted WHERE version = :version AND kind = 'value' AND at_ms BETWEEN :fromMs AND :toMs`,
}

function rowsOf(numbers: Put): [part: string, n: number][] {
  if (numbers.kind !== 'histogram')
    return Object.entries(numbers).flatMap(([part, n]) => (typeof n === 'number' ? [[part, n]] : []))
  return numbers.counts.map((n, index) => [['0.1', '0.5', '1', 'open'][index] ?? '', n])
}

type Run = (text: string) => Promise<unknown>

function setupOf(
  database: SqlQuery['database'],
  run: Run,
): Omit<MetricProviderSetup, 'provider' | 'trouble' | 'secrets' | 'dispose'> {
  const query = (kind: MetricKind): SqlQuery => ({ provider: 'sql', database, query: QUERIES[kind] })
  const put = async (version: string, at: number, numbers: Put) => {
    for (const [part, n] of rowsOf(numbers))
      await run(`INSERT INTO counted VALUES ('${version}', ${at}, '${numbers.kind}', '${part}', ${n})`)
  }
  return {
    subject: SUBJECT,
    metric: {
      ratio: metricOf('ratio', query('ratio')),
      rate: metricOf('rate', query('rate')),
      histogram: metricOf('histogram', query('histogram')),
      value: metricOf('value', query('value')),
    },
    put: async (version, numbers) => {
      const at = Date.now()
      await put(version, at, numbers)
      return { fromMs: at - 1000, toMs: at + 1000 }
    },
    putAt: put,
    reset: { skip: 'a table gives numbers of a window, no running counters' },
  }
}

const NOT_HTTP = {
  rateLimited: { skip: 'a database has no status 429' },
  redirected: { skip: 'a database does not redirect' },
}

const sqlOf = (database: SqlQuery['database']) => (query: string) => () =>
  metricOf('ratio', { provider: 'sql', database, query }, { timeoutMs: 5000 })

metricProviderConformance('sql on SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-metric-'))
  const file = join(folder, 'shop.db')
  const writer = new DatabaseSync(file)
  writer.exec(`PRAGMA journal_mode = WAL; ${TABLE}`)
  const ask = sqlOf({ kind: 'sqlite', file })
  return {
    ...setupOf({ kind: 'sqlite', file }, async (text) => writer.exec(text)),
    provider: createSqlProvider({ secretOf: () => null }),
    trouble: {
      ...NOT_HTTP,
      unreachable: sqlOf({ kind: 'sqlite', file: join(folder, 'nowhere.db') })('SELECT 1 AS bad, 2 AS total'),
      timeout: () =>
        metricOf(
          'ratio',
          {
            provider: 'sql',
            database: { kind: 'sqlite', file },
            query:
              'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS bad, 1 AS total FROM n',
          },
          { timeoutMs: 200 },
        ),
      unauthorized: { skip: 'a file has no password' },
      tooLarge: ask(
        'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS bad, x AS total FROM n',
      ),
      severalSeries: ask('SELECT 1 AS bad, 2 AS total UNION ALL SELECT 3, 4'),
      refused: ask('SELECT :bad AS bad, 5 AS total'),
      unreadable: ask("SELECT 'some' AS bad, 5 AS total"),
      missingSecret: { skip: 'a file needs none' },
      nan: { skip: 'SQLite turns NaN into NULL, which is no data' },
      infinity: ask('SELECT 1 AS bad, 9e999 AS total'),
      negative: ask('SELECT -1 AS bad, 5 AS total'),
    },
    secrets: [],
    dispose: async () => {
      writer.close()
      rmSync(folder, { recursive: true })
    },
  }
})

metricProviderConformance(
  'sql on PostgreSQL',
  async () => {
    const server = await startPostgres()
    await server.sql(TABLE)
    const addresses: Record<string, string> = {
      SHOP: server.url,
      WRONG: server.url.replace(encodeURIComponent(PASSWORD), 'another-secret-word'),
      AWAY: 'postgresql://sluice:another-secret-word@127.0.0.1:1/shop',
    }
    const ask = sqlOf({ kind: 'postgres', secret: 'SHOP' })
    const elsewhere = (secret: string) => sqlOf({ kind: 'postgres', secret })('SELECT 1 AS bad, 2 AS total')
    return {
      ...setupOf({ kind: 'postgres', secret: 'SHOP' }, server.sql),
      provider: createSqlProvider({ secretOf: (name) => addresses[name] ?? null }),
      trouble: {
        ...NOT_HTTP,
        unreachable: elsewhere('AWAY'),
        timeout: () => ({
          ...ask('SELECT count(*) AS bad, 1 AS total FROM pg_sleep(600)')(),
          timeoutMs: 300,
        }),
        unauthorized: elsewhere('WRONG'),
        tooLarge: ask('SELECT n AS bad, n AS total FROM generate_series(1, 5000) AS n'),
        severalSeries: ask('SELECT 1 AS bad, 2 AS total UNION ALL SELECT 3, 4'),
        refused: ask('SELECT bda FROM counted'),
        unreadable: { skip: 'the server refuses what is no number' },
        missingSecret: elsewhere('NOBODY_SET_IT'),
        nan: ask("SELECT 'NaN'::float8 AS bad, 5 AS total"),
        infinity: ask("SELECT 1 AS bad, 'Infinity'::float8 AS total"),
        negative: ask('SELECT -1 AS bad, 5 AS total'),
      },
      secrets: [PASSWORD, encodeURIComponent(PASSWORD), 'another-secret-word'],
      dispose: server.dispose,
    }
  },
  { skip: postgresMissing },
)

const WRITES = [
  "INSERT INTO counted VALUES ('x', 1, 'x', 'x', 1)",
  'DELETE FROM counted',
  'SELECT 1 AS bad, 2 AS total; DELETE FROM counted',
  'SELECT 1 AS bad, 2 AS total) AS q; DELETE FROM counted; SELECT 1 FROM (SELECT 1',
  'WITH gone AS (DELETE FROM counted RETURNING 1) SELECT 1 AS bad, 2 AS total',
  'COMMIT',
  'SELECT 1 AS bad, 2 AS total) AS q LIMIT 1; COMMIT; DELETE FROM counted --',
]

describe('a query can never write', () => {
  const ask = (database: SqlQuery['database'], query: string, url = '') =>
    createSqlProvider({ secretOf: () => url }).sample({
      metric: metricOf('ratio', { provider: 'sql', database, query }),
      subject: { ...SUBJECT, version: '1', release: null },
      window: { fromMs: 0, toMs: 1000 },
    })

  describe('into a SQLite file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-metric-'))
    const file = join(folder, 'shop.db')
    const writer = new DatabaseSync(file)
    beforeAll(() => {
      writer.exec(`${TABLE}; INSERT INTO counted VALUES ('1', 1, 'ratio', 'bad', 1)`)
    })
    afterAll(() => {
      writer.close()
      rmSync(folder, { recursive: true })
    })
    it.each([
      ...WRITES,
      `SELECT 1 AS bad, 2 AS total FROM (SELECT 1); ATTACH '${join(folder, 'new.db')}' AS new`,
    ])('%s', async (query) => {
      await ask({ kind: 'sqlite', file }, query)
      expect(writer.prepare('SELECT count(*) AS n FROM counted').get()).toEqual({ n: 1 })
    })
  })

  describe.skipIf(postgresMissing !== null)('into PostgreSQL', () => {
    let server: PostgresServer
    beforeAll(async () => {
      server = await startPostgres()
      await server.sql(`${TABLE}; INSERT INTO counted VALUES ('1', 1, 'ratio', 'bad', 1); CREATE SEQUENCE steps;
        CREATE FUNCTION wipe() RETURNS int AS 'DELETE FROM counted; SELECT 1' LANGUAGE sql;
        CREATE FUNCTION unlock() RETURNS int AS $$ BEGIN PERFORM set_config('transaction_read_only', 'off', false); DELETE FROM counted; RETURN 1; END $$ LANGUAGE plpgsql`)
    })
    afterAll(() => server?.dispose())
    it.each([
      ...WRITES,
      'SELECT wipe() AS bad, 2 AS total',
      'SELECT unlock() AS bad, 2 AS total',
      "SELECT nextval('steps') AS bad, 2 AS total",
    ])('%s', async (query) => {
      const reading = await ask({ kind: 'postgres', secret: 'SHOP' }, query, server.url)
      expect(reading.kind).toBe('failure')
      expect(await server.sql('SELECT count(*)::int AS n FROM counted')).toEqual([{ n: 1 }])
      expect(await server.sql('SELECT is_called FROM steps')).toEqual([{ is_called: false }])
    })

    it('says so where a function tries to', async () => {
      expect(
        await ask({ kind: 'postgres', secret: 'SHOP' }, 'SELECT wipe() AS bad, 2 AS total', server.url),
      ).toMatchObject({
        problem: { code: 'METRIC_QUERY_WRITES' },
      })
    })
  })
})
