import type { Pool, PoolClient, PoolConfig } from 'pg'
import type { Problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Address } from './address.ts'
import { answerLost, isServerError, problemFrom } from './problems.ts'

type Driver = Pick<typeof import('pg'), 'Pool' | 'Client' | 'types'>
/** Runs one statement, with an own limit for what is known to take its time. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>
/** `leasePool` has one connection, on which leases are renewed: that must not wait behind any other work. */
export type Database = { address: Address; driver: Driver; pool: Pool; leasePool: Pool }

const MOST_CONNECTIONS = 10
const CONNECT_MS = 10_000
/** The server ends a statement after this; the client waits a little longer for it to say so, and then gives up the connection. */
const STATEMENT_MS = 10_000
const ANSWER_MS = STATEMENT_MS + 2000
const LOCK_MS = 5000
/** A controller that freezes in the middle of a transaction keeps its rows for so long, and nobody can take the lease. */
const FROZEN_MS = 5000
/** Copies and pruning go over all rows. */
const LONG_MS = 10 * 60_000
const IDLE_MS = 30_000
const KEEP_ALIVE_MS = 10_000
const OID_INT8 = 20

/** How the server sees a controller of this schema. Whoever only copies has another name. */
export const controllerName = ({ schema }: Pick<Address, 'schema'>): string => `sluice ${schema}`

/** Loaded only when it is used: most users have no PostgreSQL. */
export async function connect(
  address: Address,
  applicationName = controllerName(address),
): Promise<Database> {
  const driver = await import('pg')
  const poolOf = (max: number): Pool => {
    const idleTimeoutMillis = IDLE_MS
    const settings = { ...settingsFor(address, driver), application_name: applicationName }
    const pool = new driver.Pool({ ...settings, max, idleTimeoutMillis })
    // A connection that breaks while nobody uses it is replaced by the pool. Without listeners it would end the process.
    pool.on('error', () => undefined)
    pool.on('connect', (client) => client.on('error', () => undefined))
    return pool
  }
  return { address, driver, pool: poolOf(MOST_CONNECTIONS), leasePool: poolOf(1) }
}

export function settingsFor(address: Address, { types }: Pick<Driver, 'types'>): PoolConfig {
  return {
    connectionString: address.url,
    application_name: controllerName(address),
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    lock_timeout: LOCK_MS,
    query_timeout: ANSWER_MS,
    idle_in_transaction_session_timeout: FROZEN_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: {
      // All whole numbers of the store are safe ones; `pg` gives them as text otherwise.
      getTypeParser: (oid: number) => (oid === OID_INT8 ? Number : types.getTypeParser(oid)),
    },
  }
}

export async function query({ pool }: Pick<Database, 'pool'>, text: string, values: readonly unknown[] = []) {
  const { rows } = await pool.query<Record<string, unknown>>(text, [...values])
  return rows
}

type Kind = { begin: string; long: boolean }
const SHORT: Kind = { begin: 'BEGIN', long: false }
export const LONG: Kind = { begin: 'BEGIN', long: true }
export const SNAPSHOT: Kind = { begin: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', long: true }

/**
 * All or nothing: a failed result or a thrown error leaves everything as it was. When the answer to the commit is lost,
 * nobody knows which: then the problem says so, and a retry is refused by the revision if the change was made.
 */
export async function inTransaction<T>(
  { address, pool }: Database,
  run: (query: Query) => Promise<Result<T>>,
  kind: Kind = SHORT,
): Promise<Result<T>> {
  const client = await pool.connect()
  const ask = queryOn(client, kind)
  let broken: unknown = null
  try {
    await ask(kind.begin)
    if (kind.long) await ask(`SET LOCAL statement_timeout = ${LONG_MS}`)
    if (kind.long) await ask(`SET LOCAL idle_in_transaction_session_timeout = ${LONG_MS}`)
    const result = await run(ask)
    if (result.kind === 'failed') await ask('ROLLBACK')
    const lost = result.kind === 'failed' ? null : await commit(ask, address)
    if (lost === null) return result
    broken = lost
    return failed(lost)
  } catch (error) {
    // The transaction ends with the connection in any case: one that broke is not used again.
    broken = isServerError(error) ? await rolledBack(ask) : error
    throw error
  } finally {
    client.release(broken !== null)
  }
}

/** One statement that is its own transaction. When its answer is lost, nobody knows whether it was carried out. */
export async function alone<T>(database: Database, run: (query: Query) => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await run((text, values) => query(database, text, values)))
  } catch (error) {
    const said = isServerError(error) ? null : problemFrom(database.address, error)
    if (said === null || said.code !== 'STORE_UNREACHABLE') throw error
    return failed(answerLost(database.address, said.cause ?? said.message))
  }
}

function queryOn(client: PoolClient, { long }: Kind): Query {
  const limit = long ? { query_timeout: LONG_MS } : {}
  return async (text, values = []) => {
    const { rows } = await client.query<Record<string, unknown>>({ text, values: [...values], ...limit })
    return rows
  }
}

async function commit(ask: Query, address: Address): Promise<Problem | null> {
  try {
    await ask('COMMIT')
    return null
  } catch (error) {
    const said = problemFrom(address, error)
    return said.code === 'STORE_UNREACHABLE' ? answerLost(address, said.cause ?? said.message) : said
  }
}

async function rolledBack(ask: Query): Promise<unknown> {
  try {
    await ask('ROLLBACK')
    return null
  } catch (error) {
    return error
  }
}

/** Several rows in one statement; the order of the rows is the order of their identities. */
export async function insert(
  ask: Query,
  of: { into: string; columns: readonly string[]; rows: readonly (readonly unknown[])[]; orElse?: string },
): Promise<void> {
  const { into, columns, rows, orElse = '' } = of
  if (rows.length === 0) return
  const marks = rows.map(
    (_, row) => `(${columns.map((__, column) => `$${row * columns.length + column + 1}`).join(', ')})`,
  )
  await ask(`INSERT INTO ${into} (${columns.join(', ')}) VALUES ${marks.join(', ')} ${orElse}`, rows.flat())
}
