import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { type Replaced, type ReplaceRequest, type StorePlace, stampOf } from '../../../ports/store-place.ts'
import { notEmpty, nothingThere } from '../../../ports/store-rows.ts'
import { dump, holdsSomething } from './copy.ts'
import { allLeases } from './leases.ts'
import { takeOwnerLock } from './owner-lock.ts'
import { COMPANIONS, pendingOf, putInPlace, settlePending, syncFolder } from './pending.ts'
import { guarded } from './problems.ts'
import { prepareCommon } from './statements.ts'
import { createSqliteStore } from './store.ts'
import { looksUnused, verifyFile } from './verify.ts'

const READ_TIMEOUT_MS = 5000

/** The state file, whatever it is in: sound, damaged or not there. */
export function sqlitePlace(file: string): StorePlace {
  return {
    kind: 'sqlite',
    name: file,
    dump: async (onRow) => {
      const sound = guarded(file, () => {
        const settled = settlePending(file)
        if (settled.kind === 'failed') return settled
        return looksUnused(file) ? failed(nothingThere(file)) : verifyFile(file)
      })
      return sound.kind === 'ok' ? dump({ file }, onRow) : sound
    },
    replace: async (request) => {
      const unused = guarded(file, () => {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        return ok(looksUnused(file))
      })
      if (unused.kind === 'failed') return unused
      // A name beside a file that was never there would make its absence look like a loss.
      const locked = guarded(file, () => takeOwnerLock(file, unused.value ? null : request.by))
      if (locked.kind === 'failed') return locked
      try {
        return await replaceOwned(file, request)
      } finally {
        rmSync(buildingFolder(file), { recursive: true, force: true })
        locked.value.free()
      }
    },
  }
}

type Old = { kind: 'nothing' | 'empty' | 'filled' | 'damaged'; epochs: Map<string, number> }

/**
 * The new state is built aside, whole and synced; the old one gets a second name; then one renaming decides. What follows
 * that is finished by whoever opens the file next.
 */
async function replaceOwned(file: string, request: ReplaceRequest): Promise<Result<Replaced>> {
  const looked = guarded(file, () => {
    if (existsSync(pendingOf(file))) putInPlace(file)
    return ok(lookAt(file))
  })
  if (looked.kind === 'failed') return looked
  const old = looked.value
  if (old.kind === 'filled' && !request.overwrite) return failed(notEmpty(file))
  const filled = await build(file, request, old.epochs)
  if (filled.kind === 'failed') return filled
  return guarded(file, () => {
    const isKept = old.kind === 'filled' || old.kind === 'damaged'
    const keptAs = isKept ? keepAside(file, request.at) : null
    const built = join(buildingFolder(file), basename(file))
    chmodSync(built, 0o600)
    renameSync(built, pendingOf(file))
    syncFolder(dirname(file))
    putInPlace(file)
    return ok({ rows: filled.value.rows, keptAs, wasDamaged: old.kind === 'damaged' })
  })
}

const buildingFolder = (file: string): string => join(dirname(file), 'restoring')

/** A file of a newer version is sound for that version. */
function lookAt(file: string): Old {
  if (looksUnused(file)) {
    // Whoever only looked leaves an empty one.
    const hasLog = (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
    return { kind: hasLog ? 'damaged' : 'nothing', epochs: new Map() }
  }
  const verified = guarded(file, () => verifyFile(file))
  const epochs = epochsIn(file)
  if (verified.kind === 'failed')
    return { kind: verified.problem.code === 'STORE_CORRUPT' ? 'damaged' : 'filled', epochs }
  return { kind: holdsSomething(file) ? 'filled' : 'empty', epochs }
}

/** As many as can be read: of a damaged file perhaps none. */
function epochsIn(file: string): Map<string, number> {
  const read = guarded(file, () => {
    const db = new DatabaseSync(file, { readOnly: true, timeout: READ_TIMEOUT_MS })
    try {
      return ok(allLeases({ db, common: prepareCommon(db) }))
    } finally {
      db.close()
    }
  })
  return new Map(read.kind === 'ok' ? read.value.map(({ stream, epoch }) => [stream, epoch]) : [])
}

async function build(
  file: string,
  { rows, by }: ReplaceRequest,
  epochs: ReadonlyMap<string, number>,
): Promise<Result<{ rows: number }>> {
  const folder = buildingFolder(file)
  rmSync(folder, { recursive: true, force: true })
  const opened = await createSqliteStore({ file: join(folder, basename(file)) })
  if (opened.kind === 'failed') return opened
  const store = opened.value
  const joined = await store.join(by)
  const filled = joined.kind === 'ok' ? await store.fill(rows(epochs)) : joined
  await store.close()
  if (filled.kind === 'failed') return filled
  const leftover = COMPANIONS.find((companion) => existsSync(join(folder, `${basename(file)}${companion}`)))
  if (leftover !== undefined) throw new Error(`the restored state is not whole: it has a ${leftover} file`)
  return guarded(file, () => {
    const checked = verifyFile(join(folder, basename(file)))
    return checked.kind === 'ok' ? ok({ rows: filled.value.rows }) : checked
  })
}

/** A second name costs no space; a disk that knows no such thing gets a copy. */
function keepAside(file: string, at: number): string {
  const folder = join(dirname(file), `replaced-${stampOf(at)}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const companion of ['', '-wal', '-journal']) {
    const from = `${file}${companion}`
    if (!existsSync(from)) continue
    const to = join(folder, basename(from))
    try {
      linkSync(from, to)
    } catch {
      copyFileSync(from, to)
    }
  }
  syncFolder(folder)
  syncFolder(dirname(folder))
  return folder
}
