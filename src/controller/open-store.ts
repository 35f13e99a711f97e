import { chmodSync, existsSync, readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { createPostgresStore } from '../adapters/stores/postgres/store.ts'
import { createSqliteStore } from '../adapters/stores/sqlite/store.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Store } from '../ports/store.ts'
import type { Folder } from './folder.ts'
import { replaceFile } from './folder.ts'

const RETRY_MS = 1000

export type StorePlace = {
  folder: Folder
  /** A PostgreSQL server for several controllers; `null` for the file in the folder. */
  databaseUrl: string | null
  clock: Clock
  log: Log
}

/** Opens the store and joins it. A server that does not answer yet is waited for: traffic flows on meanwhile. */
export async function openStore(place: StorePlace): Promise<Result<Store>> {
  const { databaseUrl, clock, log } = place
  for (;;) {
    const opened = databaseUrl === null ? await openEmbedded(place) : await openShared(databaseUrl, place)
    if (opened.kind === 'ok' || databaseUrl === null || !opened.problem.retryable) return opened
    log.warn('the database does not answer; trying again', { problem: opened.problem })
    await clock.sleep(RETRY_MS)
  }
}

async function openEmbedded({ folder, clock }: StorePlace): Promise<Result<Store>> {
  if (isElsewhere(folder)) return failed(elsewhere(folder))
  const store = await createSqliteStore({ file: folder.state })
  if (store.kind === 'failed') return store
  makePrivate(folder)
  return joined(store.value, clock.now())
}

async function openShared(url: string, { folder, clock }: StorePlace): Promise<Result<Store>> {
  const store = await createPostgresStore({ url })
  if (store.kind === 'failed') return store
  const done = await joined(store.value, clock.now())
  if (done.kind === 'ok') replaceFile(markOf(folder), MARK)
  return done
}

/**
 * Says that the state of a folder is on a server. A controller that is started without the address would find an empty
 * file, know of nothing that runs, and quarrel with those who do.
 */
const markOf = ({ root }: Pick<Folder, 'root'>): string => path.join(root, 'shared-store')
const MARK = 'The state of this folder is on the PostgreSQL server that SLUICE_DATABASE_URL names.\n'

export const isElsewhere = (folder: Pick<Folder, 'root'>): boolean => existsSync(markOf(folder))

export const elsewhere = (folder: Pick<Folder, 'root'>) =>
  problem('STORE_ELSEWHERE', {
    message: `The state of ${folder.root} is on a PostgreSQL server, and SLUICE_DATABASE_URL is not set here. Nothing was done.`,
    remedy: `Set SLUICE_DATABASE_URL to the address of the server. To go back to a file, stop all controllers, remove ${markOf(folder)} and restore a copy: sluice restore FILE.`,
  })

async function joined(store: Store, startedAt: number): Promise<Result<Store>> {
  const host = hostname()
  const done = await store.join({ name: `${host}/${process.pid}`, pid: process.pid, startedAt, host })
  if (done.kind === 'ok') return ok(store)
  await store.close()
  return done
}

/** The folder is its owner's alone already; a copied file should be, too. What SQLite makes beside it takes its mode. */
function makePrivate(folder: Folder): void {
  for (const name of readdirSync(folder.root))
    if (/^(state\.db|owner\.lock)/.test(name)) chmodSync(path.join(folder.root, name), 0o600)
}
