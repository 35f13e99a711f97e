import { existsSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { corrupt, newerFormat } from './problems.ts'
import {
  documentFields,
  eventFields,
  readFileEpoch,
  readHead,
  readLease,
  readMeta,
  readOutboxFields,
  readPruned,
  streamFields,
} from './rows.ts'
import { FORMAT, SCHEMA_OF_FORMAT } from './schema.ts'
import { walComplaint } from './wal-check.ts'

/** Larger files get SQLite's quick check only: reading every row would delay the start by more than a few seconds. */
const FULL_CHECK_UP_TO_BYTES = 256 * 1024 * 1024

/**
 * Reads the whole file, read-only, and says what is wrong with it. Only SQLite may open the file itself: closing a second
 * descriptor would drop the locks that this process holds on it.
 */
export function verifyFile(file: string): Result<void> {
  const torn = walComplaint(file)
  if (torn !== null) return failed(corrupt(file, torn))
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  try {
    return verify(db, file)
  } finally {
    db.close()
  }
}

function verify(db: DatabaseSync, file: string): Result<void> {
  const thorough = statSync(file).size <= FULL_CHECK_UP_TO_BYTES
  if (!hasTable(db, 'meta')) return failed(corrupt(file, 'it holds no Sluice state'))
  const format = readFormat(db)
  if (format === null) return failed(corrupt(file, 'its format number is unreadable'))
  if (format > FORMAT) return failed(newerFormat(file, { found: format, known: FORMAT }))
  const complaint =
    structuralComplaint(db, thorough) ?? schemaComplaint(db, format) ?? gapComplaint(db, format)
  if (complaint !== null) return failed(corrupt(file, complaint))
  if (thorough) readEveryRow(db, format)
  return ok(undefined)
}

export function hasTable(db: DatabaseSync, name: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined
}

/** `null`: unreadable. */
export function readFormat(db: DatabaseSync): number | null {
  const row = db.prepare("SELECT name, value, crc FROM meta WHERE name = 'format'").get()
  if (row === undefined) return null
  const value = readMeta(row)
  return /^[1-9]\d*$/.test(value) ? Number(value) : null
}

function structuralComplaint(db: DatabaseSync, thorough: boolean): string | null {
  const check = thorough ? 'integrity_check' : 'quick_check'
  const found = db
    .prepare(`PRAGMA ${check}(1)`)
    .all()
    .map((row) => String(row[check]))
  if (found.length === 1 && found[0] === 'ok') return dangling(db)
  return `PRAGMA ${check} says: ${found.join('; ').replaceAll('\n', ' ')}`
}

function dangling(db: DatabaseSync): string | null {
  const row = db.prepare('PRAGMA foreign_key_check').get()
  return row === undefined ? null : `a row of ${String(row.table)} belongs to a stream that is missing`
}

const SchemaRows = z.array(z.object({ name: z.string(), sql: z.string() }))

/** A changed byte in a table's definition is still valid SQL now and then; only the exact text is good. */
function schemaComplaint(db: DatabaseSync, format: number): string | null {
  const fresh = new DatabaseSync(':memory:')
  fresh.exec(SCHEMA_OF_FORMAT[format] ?? '')
  const expected = definitions(fresh)
  fresh.close()
  return JSON.stringify(definitions(db)) === JSON.stringify(expected)
    ? null
    : 'the definition of its tables was changed'
}

const definitions = (db: DatabaseSync) =>
  SchemaRows.parse(
    db.prepare('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').all(),
  )

/** Sequence numbers are consecutive up to the stream's revision, so a lost event shows; what was pruned is written down. */
function gapComplaint(db: DatabaseSync, format: number): string | null {
  const pruned = format === 1 ? '(SELECT NULL AS stream, 0 AS through)' : 'pruned'
  const heads = format < 3 ? '(SELECT NULL AS stream, 0 AS revision)' : 'heads'
  const row = db
    .prepare(`SELECT s.stream, s.revision AS state, coalesce(h.revision, s.revision) AS revision,
      coalesce(p.through, 0) AS gone, count(e.sequence) AS events, max(e.sequence) AS last, min(e.sequence) AS first
      FROM streams s LEFT JOIN ${pruned} p ON p.stream = s.stream LEFT JOIN ${heads} h ON h.stream = s.stream
        LEFT JOIN events e ON e.stream = s.stream
      GROUP BY s.stream
      HAVING events <> coalesce(h.revision, s.revision) - gone OR coalesce(last, coalesce(h.revision, s.revision)) <> coalesce(h.revision, s.revision)
        OR coalesce(first, gone + 1) <> gone + 1 OR gone > s.revision OR h.revision <= s.revision
      LIMIT 1`)
    .get()
  if (row === undefined) return format === 1 ? null : leaseComplaint(db)
  return `stream ${String(row.stream)} is at revision ${String(row.revision)} but has ${String(row.events)} events`
}

function leaseComplaint(db: DatabaseSync): string | null {
  const row = db
    .prepare('SELECT stream FROM streams WHERE stream NOT IN (SELECT stream FROM leases) LIMIT 1')
    .get()
  return row === undefined ? null : `the lease of stream ${String(row.stream)} is missing`
}

/** The seal of each: what is sealed is what was written, so its text need not be read. */
function readEveryRow(db: DatabaseSync, format: number): void {
  const readers = [
    ['meta', readMeta],
    ['streams', streamFields],
    ['events', eventFields],
    ['documents', documentFields],
    ['outbox', readOutboxFields],
  ] as const
  const leases = [
    ['leases', readLease],
    ['pruned', readPruned],
  ] as const
  for (const [table, read] of [
    ...readers,
    ...(format === 1 ? [['lease', readFileEpoch] as const] : leases),
    ...(format < 3 ? [] : [['heads', readHead] as const]),
  ]) {
    for (const row of db.prepare(`SELECT * FROM ${table}`).iterate()) read(row)
  }
}

/** A file that was never used is absent or without content; one that had an owner once must not be. */
export function looksUnused(file: string): boolean {
  return !existsSync(file) || statSync(file).size === 0
}
