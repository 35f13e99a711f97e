import * as z from 'zod'
import type { Problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Address } from './address.ts'
import { type Database, inTransaction, LONG, type Query, query } from './database.ts'
import { newerFormat, oldServer } from './problems.ts'
import { shaped } from './rows.ts'
import { STEPS } from './schema.ts'

const OLDEST_SERVER = 15
/** Guards nothing but the making of tables: two that start at once would get in each other's way. Any fixed number does. */
const MAKING_TABLES = 7_306_115
const Server = z.object({ number: z.int(), version: z.string() })
const Format = z.object({ format: z.int() })
const Found = z.object({ found: z.boolean() })

/** Refuses what cannot be used; makes the tables, or brings them to the newest format. */
export async function prepare(database: Database, steps: typeof STEPS = STEPS): Promise<Result<void>> {
  const { address } = database
  const [server] = await query(
    database,
    "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version",
  )
  const old = tooOld(address, shaped(Server, server, 'the version of the server'))
  if (old !== null) return failed(old)
  const found = await formatOf((text, values) => query(database, text, values), address.schema)
  if (found > steps.length) return failed(newerFormat(address, { found, known: steps.length }))
  return found === steps.length
    ? ok(undefined)
    : inTransaction(database, (ask) => bringUp(ask, database, steps), LONG)
}

export function tooOld(address: Address, { number, version }: z.infer<typeof Server>): Problem | null {
  const isOld = Math.floor(number / 10_000) < OLDEST_SERVER
  return isOld ? oldServer(address, { found: version, needed: OLDEST_SERVER }) : null
}

async function bringUp(ask: Query, { address }: Database, steps: typeof STEPS): Promise<Result<void>> {
  const { schema } = address
  await lockTables(ask)
  // Somebody else may have done it while this waited.
  const found = await formatOf(ask, schema)
  if (found > steps.length) return failed(newerFormat(address, { found, known: steps.length }))
  await makeTables(ask, { schema, found, steps })
  return ok(undefined)
}

/** From the format that was found, 0 for nothing. */
export async function makeTables(
  ask: Query,
  { schema, found, steps = STEPS }: { schema: string; found: number; steps?: typeof STEPS },
): Promise<void> {
  if (found === 0) await makeMeta(ask, schema)
  for (const step of steps.slice(found)) await ask(step(schema))
  await ask(`UPDATE ${schema}.meta SET format = $1`, [steps.length])
}

/** Others that make tables, or replace them, wait until the transaction ends. */
export const lockTables = (ask: Query) => ask('SELECT pg_advisory_xact_lock($1)', [MAKING_TABLES])

/** `CREATE SCHEMA IF NOT EXISTS` needs a right that is not needed when the schema is there. */
async function makeMeta(ask: Query, schema: string): Promise<void> {
  const [row] = await ask('SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS found', [schema])
  if (!shaped(Found, row, 'pg_namespace').found) await ask(`CREATE SCHEMA ${schema}`)
  await ask(
    `CREATE TABLE ${schema}.meta (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), format int NOT NULL)`,
  )
  await ask(`INSERT INTO ${schema}.meta (format) VALUES (0)`)
}

/** 0: there are no tables yet. `meta` must keep its shape in all formats. */
export async function formatOf(ask: Query, schema: string): Promise<number> {
  const [table] = await ask(
    "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'meta') AS found",
    [schema],
  )
  if (!shaped(Found, table, 'pg_tables').found) return 0
  const [row] = await ask(`SELECT format FROM ${schema}.meta`)
  return shaped(Format, row, 'meta').format
}
