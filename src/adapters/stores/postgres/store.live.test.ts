import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { storeConformance } from '../../../testkit/conformance/store.ts'
import {
  PASSWORD,
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../../testkit/servers/postgres.test.kit.ts'
import { addressOf } from './address.ts'
import { connect } from './database.ts'
import { prepare } from './open.ts'
import { STEPS } from './schema.ts'
import { createPostgresStore } from './store.ts'

const ADA = { name: 'ada', pid: 1, host: 'here', startedAt: 1 }

describe.skipIf(postgresMissing !== null)(
  `postgres store${postgresMissing === null ? '' : ` (${postgresMissing})`}`,
  () => {
    let server: PostgresServer
    let schema = ''
    beforeAll(async () => {
      server = await startPostgres()
    })
    afterAll(() => server?.dispose())
    beforeEach(() => {
      schema = `t_${randomUUID().replaceAll('-', '')}`
    })
    const opened = async () => valueIn(await createPostgresStore({ url: server.url, schema }))
    const joined = async (name = 'ada') => {
      const store = await opened()
      valueIn(await store.join({ ...ADA, name }))
      return store
    }

    storeConformance(
      'postgres',
      async () => {
        const mine = `c_${randomUUID().replaceAll('-', '')}`
        const expireLeases = async () => {
          await server.sql(
            `UPDATE ${mine}.leases SET until = now() - interval '1 ms' WHERE until IS NOT NULL`,
          )
        }
        return {
          open: async () => valueIn(await createPostgresStore({ url: server.url, schema: mine })),
          dispose: async () => {
            await server.sql(`DROP SCHEMA IF EXISTS ${mine} CASCADE`)
          },
          expireLeases,
        }
      },
      { shared: true },
    )

    it('makes its tables once, however many start at the same moment', async () => {
      const stores = await Promise.all(Array.from({ length: 6 }, opened))
      const [row] = await server.sql(`SELECT count(*)::int AS n FROM ${schema}.meta`)
      expect(row).toEqual({ n: 1 })
      await Promise.all(stores.map((store) => store.close()))
    })

    it('lets a lease run out by the clock of the server', async () => {
      const ada = await joined()
      const bob = await joined('bob')
      valueIn(await ada.append(request(0, null)))
      valueIn(await ada.claim({ now: 1, leaseMs: 3_000, limit: 1 }))
      expect(valueIn(await bob.claim({ now: 1, leaseMs: 3_000, limit: 1 }))).toEqual([])
      const [held] = valueIn(await bob.leases())
      const ahead = (held?.until ?? 0) - Date.now()
      expect(ahead).toBeGreaterThan(-5000)
      expect(ahead).toBeLessThan(3_000)
      await expect
        .poll(async () => valueIn(await bob.claim({ now: 1, leaseMs: 3_000, limit: 1 })))
        .toEqual([{ stream: 'shop', epoch: 2 }])
      expect(problemIn(await ada.append(request(1, 1))).code).toBe('STORE_FENCED')
      await Promise.all([ada.close(), bob.close()])
    })

    it('refuses a newer format and names both', async () => {
      await (await opened()).close()
      await server.sql(`UPDATE ${schema}.meta SET format = 7`)
      const problem = problemIn(await createPostgresStore({ url: server.url, schema }))
      expect(problem.code).toBe('STORE_NEWER_FORMAT')
      expect(problem.message).toMatch(/format 7.*up to 2/)
    })

    it('brings an older format up step by step, once, and all or nothing', async () => {
      const store = await joined()
      valueIn(await store.append(request(0, null)))
      await store.close()
      const address = valueIn(addressOf({ url: server.url, schema }))
      const database = await connect(address)
      const step = (name: string) => `ALTER TABLE ${name}.streams ADD COLUMN added int DEFAULT 1;`
      await expect(prepare(database, [...STEPS, step, () => 'SELECT nonsense'])).rejects.toThrow('nonsense')
      expect(await server.sql(`SELECT format FROM ${schema}.meta`)).toEqual([{ format: STEPS.length }])
      expect(await Promise.all([1, 2, 3].map(() => prepare(database, [...STEPS, step])))).toMatchObject(
        Array.from({ length: 3 }, () => ({ kind: 'ok' })),
      )
      expect(await server.sql(`SELECT format FROM ${schema}.meta`)).toEqual([{ format: STEPS.length + 1 }])
      expect(await server.sql(`SELECT added, revision::int FROM ${schema}.streams`)).toEqual([
        { added: 1, revision: 1 },
      ])
      await database.pool.end()
    })

    it.each([
      ['a wrong password', (url: string) => url.replace(/:[^:@]+@/, ':wrong-8842@'), 'STORE_DENIED'],
      ['an unknown user', (url: string) => url.replace('//sluice:', '//nobody:'), 'STORE_DENIED'],
      ['no password', (url: string) => url.replace(/:[^:@]+@/, '@'), 'STORE_DENIED'],
      ['an unknown database', (url: string) => url.replace(/postgres$/, 'nowhere'), 'STORE_UNKNOWN_DATABASE'],
      ['a server that speaks no TLS', (url: string) => `${url}?sslmode=verify-full`, 'STORE_TLS_FAILED'],
      ['an address of another kind', () => 'mysql://a:geheim-7@b/c', 'STORE_BAD_ADDRESS'],
      ['no address', () => 'geheim-7', 'STORE_BAD_ADDRESS'],
    ])('refuses %s for good, and never shows a password', async (_, change, code) => {
      const problem = problemIn(await createPostgresStore({ url: change(server.url), schema }))
      expect(problem).toMatchObject({ code, retryable: false })
      expectNoPassword(problem)
    })

    it('refuses a user who may not make tables, and works for one who may only use them', async () => {
      await server.sql(`CREATE ROLE ${schema} LOGIN PASSWORD 'simple-771'`)
      const url = server.url.replace(/\/\/[^@]+@/, `//${schema}:simple-771@`)
      const refused = problemIn(await createPostgresStore({ url, schema }))
      expect(refused).toMatchObject({ code: 'STORE_DENIED', retryable: false })
      expect(refused.remedy).toContain(schema)
      await (await opened()).close()
      await server.sql(`GRANT USAGE ON SCHEMA ${schema} TO ${schema}`)
      await server.sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${schema}`)
      const store = valueIn(await createPostgresStore({ url, schema }))
      valueIn(await store.join(ADA))
      expect(valueIn(await store.append(request(0, null)))).toEqual({ revision: 1 })
      await store.close()
    })

    it('says when nobody answers at the address, as something that may pass', async () => {
      const url = server.url.replace(`:${server.port}/`, ':1/')
      const problem = problemIn(await createPostgresStore({ url, schema }))
      expect(problem).toMatchObject({ code: 'STORE_UNREACHABLE', retryable: true })
      expectNoPassword(problem)
    })

    it('says when the server has no connection left, and goes on when it has', async () => {
      const store = await joined()
      await server.sql('ALTER SYSTEM SET max_connections = 12')
      await server.stop()
      await server.start()
      const hogs: Client[] = []
      for (let refused = false; !refused && hogs.length < 30; ) {
        const hog = new Client({ connectionString: server.url })
        refused = await hog.connect().then(
          () => false,
          () => true,
        )
        if (!refused) hogs.push(hog)
      }
      const problem = problemIn(await store.append(request(0, null)))
      expect(problem).toMatchObject({ code: 'STORE_UNREACHABLE', retryable: true })
      expect(problem.message).toContain('53300')
      await Promise.all(hogs.map((hog) => hog.end()))
      await server.sql('ALTER SYSTEM RESET max_connections')
      await server.stop()
      await server.start()
      await expect
        .poll(async () => (await store.append(request(0, null))).kind, { timeout: 10_000 })
        .toBe('ok')
      await store.close()
    })

    it('takes a server that only reads for one that is not there', async () => {
      const store = await joined()
      await server.sql('ALTER DATABASE postgres SET default_transaction_read_only = on')
      try {
        const reader = await opened()
        expect(problemIn(await reader.join(ADA))).toMatchObject({
          code: 'STORE_UNREACHABLE',
          retryable: true,
        })
        expect(valueIn(await reader.streams())).toEqual([])
        await reader.close()
      } finally {
        await server.sql(
          'BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT',
        )
      }
      await store.close()
    })

    it('gives up on a statement that waits too long for somebody else', async () => {
      const store = await joined()
      valueIn(await store.append(request(0, null)))
      const address = valueIn(addressOf({ url: server.url, schema }))
      const other = await connect(address)
      const client = await other.pool.connect()
      await client.query(
        `SET idle_in_transaction_session_timeout = 0; BEGIN; SELECT * FROM ${schema}.streams FOR UPDATE`,
      )
      expect(problemIn(await store.append(request(1, null)))).toMatchObject({
        code: 'STORE_UNREACHABLE',
        retryable: true,
      })
      await client.query('ROLLBACK')
      client.release()
      await other.pool.end()
      expect(valueIn(await store.append(request(1, null)))).toEqual({ revision: 2 })
      await store.close()
    })

    it('keeps 1,500 events, messages and documents of one decision', async () => {
      const store = await joined()
      const many = Array.from({ length: 1500 }, (_, index) => index)
      const events = many.map((event) => ({ kind: 'noted', event }))
      const body = { type: 't', timestamp: 'now', severity: 'info', summary: 's', data: {} } as const
      const messages = many.map((index) => ({ channel: 'hook', key: `${index}`, message: body }))
      expect(valueIn(await store.append({ ...request(0, null), events, messages }))).toEqual({
        revision: 1500,
      })
      expect(
        valueIn(await store.events({ stream: 'shop', after: 1498, limit: 5 })).map(({ event }) => event),
      ).toEqual([1498, 1499])
      expect(valueIn(await store.listMessages(2)).map(({ key }) => key)).toEqual(['1499', '1498'])
      await store.close()
    })

    it('names tables that are gone or rows that are damaged', async () => {
      const store = await joined()
      valueIn(await store.append(request(0, null)))
      await server.sql(`UPDATE ${schema}.streams SET state = '{broken'`)
      const damaged = problemIn(await store.load('shop'))
      expect(damaged).toMatchObject({ code: 'STORE_CORRUPT', retryable: false })
      expect(damaged.message).toContain('state')
      await server.sql(`DROP SCHEMA ${schema} CASCADE`)
      expect(problemIn(await store.load('shop')).code).toBe('STORE_CORRUPT')
      await store.close()
    })

    it('answers with a problem after it was closed, and may be closed twice', async () => {
      const store = await joined()
      await store.close()
      await store.close()
      expect(problemIn(await store.load('shop')).code).toBe('STORE_CLOSED')
      expect(problemIn(await store.append(request(0, null))).code).toBe('STORE_CLOSED')
    })
  },
)

function expectNoPassword(problem: unknown): void {
  const text = JSON.stringify(problem)
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'wrong-8842', 'geheim-7'])
    expect(text).not.toContain(secret)
}

function request(expectedRevision: number, epoch: number | null) {
  const rest = { schemaVersion: 1, state: {}, due: 1, messages: [], documents: [] }
  return { stream: 'shop', expectedRevision, epoch, at: 0, events: [{ kind: 'noted', event: 1 }], ...rest }
}

type Answer<T> =
  | { kind: 'ok'; value: T }
  | { kind: 'failed'; problem: { code: string; message: string; remedy: string } }

function valueIn<T>(result: Answer<T>): T {
  if (result.kind === 'ok') return result.value
  throw new Error(`${result.problem.code}: ${result.problem.message}`)
}

function problemIn(result: Answer<unknown>) {
  if (result.kind === 'failed') return result.problem
  throw new Error('expected a failure')
}
