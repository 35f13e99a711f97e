import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Result } from '../../../core/shared/result.ts'
import type { StoreRow } from '../../../ports/store.ts'
import { storePlaceConformance } from '../../../testkit/conformance/store-place.ts'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../../testkit/servers/postgres.test.kit.ts'
import { postgresPlace } from './place.ts'
import { createPostgresStore } from './store.ts'

describe.skipIf(postgresMissing !== null)('postgres place', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.dispose())
  const freshSchema = () => `p_${randomUUID().replaceAll('-', '').slice(0, 12)}`
  const placeIn = (schema: string) => valueIn(postgresPlace({ url: server.url, schema }))
  const open = async (schema: string) => valueIn(await createPostgresStore({ url: server.url, schema }))

  storePlaceConformance('postgres', async () => {
    const schema = freshSchema()
    return {
      place: placeIn(schema),
      open: () => open(schema),
      damage: async () => {
        await server.sql(`UPDATE ${schema}.events SET event = '{'`)
      },
      kept: async (where) => {
        const store = await open(where)
        const rows: StoreRow[] = []
        valueIn(await store.dump((row) => void rows.push(row)))
        await store.close()
        return rows
      },
      dispose: async () => {
        await server.sql(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
      },
    }
  })

  const rows = async function* (): AsyncGenerator<StoreRow> {
    yield { row: 'stream', stream: 'new', epoch: 1, revision: 0, schemaVersion: 2, state: {}, due: null }
  }
  const by = { name: 'ada', pid: 1, host: 'here', startedAt: 1 }

  it('sees a controller that holds no lease by its connection', async () => {
    const schema = freshSchema()
    const idle = await open(schema)
    const stop = idle.listen(() => undefined)
    await idle.streams()
    const refused = await placeIn(schema).replace({ rows, overwrite: true, at: 0, by })
    expect(refused).toMatchObject({
      problem: {
        code: 'STORE_LOCKED',
        message: expect.stringContaining('a controller, connected from 127.0.0.1'),
      },
    })
    stop()
    await idle.close()
  })

  it('waits a moment for a controller that is leaving: its connection ends after it', async () => {
    const schema = freshSchema()
    const leaving = await open(schema)
    const stop = leaving.listen(() => undefined)
    await leaving.streams()
    const left = pause(500).then(async () => {
      stop()
      await leaving.close()
    })
    expect(valueIn(await placeIn(schema).replace({ rows, overwrite: true, at: 0, by })).rows).toBe(1)
    await left
  })

  it('leaves the old state in force when the server dies in the middle', async () => {
    const schema = freshSchema()
    valueIn(await placeIn(schema).replace({ rows, overwrite: false, at: 0, by }))
    const dying = async function* (): AsyncGenerator<StoreRow> {
      yield { row: 'stream', stream: 'other', epoch: 1, revision: 0, schemaVersion: 2, state: {}, due: null }
      await server.kill()
    }
    const refused = await placeIn(schema).replace({ rows: dying, overwrite: true, at: 0, by })
    expect(refused).toMatchObject({ problem: { code: 'STORE_UNREACHABLE' } })
    await server.start()
    const store = await open(schema)
    expect(valueIn(await store.streams())).toEqual(['new'])
    await store.close()
  })

  it.each([
    ['a lost table', (schema: string) => `DROP TABLE ${schema}.leases`],
    ['a lost column', (schema: string) => `ALTER TABLE ${schema}.streams DROP COLUMN state`],
    ['a lost table of formats', (schema: string) => `DROP TABLE ${schema}.meta`],
  ])('takes %s for damage, and restores over it', async (_, damage) => {
    const schema = freshSchema()
    valueIn(await placeIn(schema).replace({ rows, overwrite: false, at: 0, by }))
    await server.sql(damage(schema))
    const replaced = valueIn(await placeIn(schema).replace({ rows, overwrite: false, at: 0, by }))
    expect(replaced).toEqual({ rows: 1, keptAs: `${schema}_old_19700101t000000z`, wasDamaged: true })
    const store = await open(schema)
    expect(valueIn(await store.streams())).toEqual(['new'])
    await store.close()
  })

  it('replaces the tables of a newer version only when told', async () => {
    const schema = freshSchema()
    valueIn(await placeIn(schema).replace({ rows, overwrite: false, at: 0, by }))
    await server.sql(`UPDATE ${schema}.meta SET format = 99`)
    const place = placeIn(schema)
    expect(await place.dump(() => undefined)).toMatchObject({ problem: { code: 'STORE_NEWER_FORMAT' } })
    const refused = await place.replace({ rows, overwrite: false, at: 0, by })
    expect(refused).toMatchObject({ problem: { code: 'STORE_NOT_EMPTY' } })
    expect(valueIn(await place.replace({ rows, overwrite: true, at: 0, by })).wasDamaged).toBe(false)
  })
})

function valueIn<T>(result: Result<T>): T {
  if (result.kind === 'ok') return result.value
  throw new Error(`${result.problem.code}: ${result.problem.message}`)
}
