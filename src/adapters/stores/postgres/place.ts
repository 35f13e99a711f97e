import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { HeldLease } from '../../../ports/store.ts'
import { type Replaced, type ReplaceRequest, type StorePlace, stampOf } from '../../../ports/store-place.ts'
import { notEmpty, nothingThere } from '../../../ports/store-rows.ts'
import { type Address, addressOf } from './address.ts'
import { dump, fillTables, isTaken } from './copy.ts'
import { connect, controllerName, type Database, inTransaction, LONG, type Query, query } from './database.ts'
import { formatOf, lockTables, makeTables, prepare } from './open.ts'
import { guarded } from './problems.ts'
import { readLease, shaped } from './rows.ts'
import { STEPS } from './schema.ts'

/** Not the name of a controller: those that use the state are told from those that copy it by this. */
const OWN_NAME = 'sluice copy'
/** The server lets go of a connection a moment after whoever had it, on a loaded machine too. */
const LEAVING_MS = 2_000
const POLL_MS = 50

/** The tables of one schema, whatever they are in: sound, damaged or not there. */
export function postgresPlace({
  url,
  schema = 'sluice',
}: {
  url: string
  schema?: string
}): Result<StorePlace> {
  const address = addressOf({ url, schema })
  if (address.kind === 'failed') return address
  return ok({
    kind: 'postgres',
    name: address.value.name,
    dump: (onRow) => connected(address.value, (database) => dumpAll(database, onRow)),
    replace: (request) => connected(address.value, (database) => replace(database, request)),
  })
}

async function connected<T>(
  address: Address,
  run: (database: Database) => Promise<Result<T>>,
): Promise<Result<T>> {
  const database = await connect(address, OWN_NAME)
  try {
    return await guarded(address, () => run(database))
  } finally {
    await database.pool.end()
  }
}

const asking =
  (database: Database): Query =>
  (text, values) =>
    query(database, text, values)

async function dumpAll(database: Database, onRow: Parameters<StorePlace['dump']>[0]) {
  const { name, schema } = database.address
  if ((await formatOf(asking(database), schema)) === 0) return failed(nothingThere(name))
  const prepared = await prepare(database)
  return prepared.kind === 'ok' ? dump({ database, in: schema }, onRow) : prepared
}

type Old = { kind: 'nothing' | 'empty' | 'filled' | 'damaged'; epochs: Map<string, number>; format: number }

/** One transaction: the old tables get the name of another schema, the new ones are made and filled. */
async function replace(database: Database, request: ReplaceRequest): Promise<Result<Replaced>> {
  const { address } = database
  const looked = await lookAt(database, request.overwrite)
  if (looked.kind === 'failed') return looked
  const old = looked.value
  if (old.kind === 'filled' && !request.overwrite) return failed(notEmpty(address.name))
  const keptAs =
    old.kind === 'filled' || old.kind === 'damaged'
      ? `${address.schema}_old_${stampOf(request.at).toLowerCase()}`
      : null
  await usersGone(database)
  return inTransaction(
    database,
    async (ask) => {
      await lockTables(ask)
      const used = await useComplaint(ask, address)
      if (used !== null) return failed(locked(address, used))
      const changed = await changedSince(ask, address.schema, old)
      if (changed) return failed(locked(address, 'somebody who changed it just now'))
      if (keptAs !== null) await ask(`ALTER SCHEMA ${address.schema} RENAME TO ${keptAs}`)
      const found = keptAs === null ? old.format : 0
      await makeTables(ask, { schema: address.schema, found })
      const filled = await fillTables(ask, address.schema, request.rows(old.epochs))
      if (filled.kind === 'failed') return filled
      return ok({ rows: filled.value.rows, keptAs, wasDamaged: old.kind === 'damaged' })
    },
    LONG,
  )
}

/** Reads all of it when that decides whether it must be kept. */
async function lookAt(database: Database, overwrite: boolean): Promise<Result<Old>> {
  const { address } = database
  const ask = asking(database)
  const format = await formatOf(ask, address.schema)
  const epochs = new Map<string, number>()
  // Tables without the one that tells their format are the remains of something.
  if (format === 0) return ok({ kind: await hasTables(ask, address.schema), epochs, format })
  // Sound for the version that wrote it.
  if (format > STEPS.length) return ok({ kind: 'filled', epochs, format })
  const read = await guarded(address, async () => {
    for (const { stream, epoch } of await leasesIn(ask, address.schema)) epochs.set(stream, epoch)
    if (!(await isTaken(ask, address.schema))) return ok('empty' as const)
    const whole = overwrite ? ok(undefined) : await dump({ database, in: address.schema }, () => undefined)
    return whole.kind === 'ok' ? ok('filled' as const) : whole
  })
  if (read.kind === 'ok') return ok({ kind: read.value, epochs, format })
  return read.problem.code === 'STORE_CORRUPT' ? ok({ kind: 'damaged', epochs, format }) : read
}

async function hasTables(ask: Query, schema: string): Promise<'nothing' | 'damaged'> {
  const tables = await ask('SELECT 1 FROM pg_tables WHERE schemaname = $1 LIMIT 1', [schema])
  return tables.length === 0 ? 'nothing' : 'damaged'
}

async function leasesIn(ask: Query, schema: string): Promise<HeldLease[]> {
  const rows = await ask(
    `SELECT stream, epoch, controller, (extract(epoch FROM until) * 1000)::bigint AS until FROM ${schema}.leases ORDER BY stream`,
  )
  return rows.map(readLease)
}

const User = z.object({ client: z.string().nullable(), since: z.string() })
const Named = z.object({ controller: z.string() })
const Controller = z.object({ name: z.string(), pid: z.int(), host: z.string() })

/** Ends after a moment all the same: who is there then is told by the look that decides. */
async function usersGone(database: Database): Promise<void> {
  const end = performance.now() + LEAVING_MS
  while (performance.now() < end && (await useComplaint(asking(database), database.address)) !== null)
    await pause(POLL_MS)
}

/** Who has a connection as a controller. Their leases tell the name, if they hold any. */
async function useComplaint(ask: Query, address: Address): Promise<string | null> {
  const [row] = await ask(
    `SELECT host(client_addr) AS client, to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
      FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1 ORDER BY backend_start LIMIT 1`,
    [controllerName(address)],
  )
  if (row === undefined) return null
  const { client, since } = shaped(User, row, 'pg_stat_activity')
  const named = await holderOf(ask, address.schema)
  return `${named ?? 'a controller'}, connected from ${client ?? 'the same machine'} since ${since}`
}

async function holderOf(ask: Query, schema: string): Promise<string | null> {
  const [there] = await ask(`SELECT to_regclass($1) IS NOT NULL AS found`, [`${schema}.leases`])
  if (there?.found !== true) return null
  const [row] = await ask(
    `SELECT controller FROM ${schema}.leases WHERE controller IS NOT NULL AND until > now() ORDER BY stream LIMIT 1`,
  )
  const parsed = Named.safeParse(row)
  if (!parsed.success) return null
  const { name, pid, host } = shaped(Controller, JSON.parse(parsed.data.controller), 'leases')
  return `controller ${name} (process ${pid} on ${host})`
}

/** Between the look and the lock somebody may have begun to work here. */
async function changedSince(ask: Query, schema: string, old: Old): Promise<boolean> {
  if (old.kind === 'damaged') return false
  if ((await formatOf(ask, schema)) !== old.format) return true
  if (old.format === 0 || old.format > STEPS.length) return false
  await ask(`LOCK TABLE ${schema}.streams, ${schema}.leases, ${schema}.documents IN EXCLUSIVE MODE`)
  return old.kind === 'empty' && (await isTaken(ask, schema))
}

const locked = ({ name }: Address, user: string) =>
  problem('STORE_LOCKED', {
    message: `The state in ${name} is used by ${user}.`,
    remedy:
      'Stop all controllers first, each in its folder: sluice down --controller-only. Traffic flows on meanwhile.',
  })
