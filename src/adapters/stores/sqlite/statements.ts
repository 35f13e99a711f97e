import type { DatabaseSync } from 'node:sqlite'
import { LONGEST_RETRY_MS } from '../../../ports/store.ts'
import { hasTable } from './verify.ts'

/** Every statement of the store, compiled once. */
export type Statements = ReturnType<typeof prepareStatements>
export type CommonStatements = ReturnType<typeof prepareCommon>

const STREAM = 'stream, revision, schemaVersion, state, due, crc'
const LEASE = 'stream, epoch, session, crc'
const EVENT = 'stream, sequence, at, kind, event, crc'
const DOCUMENT = 'kind, id, stream, at, body, crc'
const OUTBOX = 'channel, key, stream, message, state, attempts, notBefore, lastError, crc'

/** All of them, for a file of the newest format. */
export const prepareStatements = (db: DatabaseSync) => ({ ...prepareCommon(db), ...prepareLeases(db) })

/** What works on a file of any known format. */
export function prepareCommon(db: DatabaseSync) {
  return {
    meta: db.prepare('SELECT name, value, crc FROM meta WHERE name = ?'),
    putMeta: db.prepare(`INSERT INTO meta (name, value, crc) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET
      value = excluded.value, crc = excluded.crc`),
    dropMeta: db.prepare('DELETE FROM meta WHERE name = ?'),
    stream: db.prepare(`SELECT ${STREAM} FROM streams WHERE stream = ?`),
    /** `null` in a file of an older format, where each state is of the revision of its stream. */
    head: hasTable(db, 'heads')
      ? db.prepare('SELECT stream, revision, crc FROM heads WHERE stream = ?')
      : null,
    streamNames: db.prepare('SELECT stream FROM streams ORDER BY stream'),
    putStream:
      db.prepare(`INSERT INTO streams (${STREAM}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE SET
      revision = excluded.revision, schemaVersion = excluded.schemaVersion, state = excluded.state,
      due = excluded.due, crc = excluded.crc`),
    addEvent: db.prepare(`INSERT INTO events (${EVENT}) VALUES (?, ?, ?, ?, ?, ?)`),
    events: db.prepare(
      `SELECT ${EVENT} FROM events WHERE stream = ? AND sequence > ?
        AND kind NOT IN (SELECT value FROM json_each(?)) ORDER BY sequence LIMIT ?`,
    ),
    putDocument:
      db.prepare(`INSERT INTO documents (${DOCUMENT}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id)
      DO UPDATE SET stream = excluded.stream, at = excluded.at, body = excluded.body, crc = excluded.crc`),
    document: db.prepare(`SELECT ${DOCUMENT} FROM documents WHERE kind = ? AND id = ?`),
    documents: db.prepare(
      `SELECT ${DOCUMENT} FROM documents WHERE kind = ? ORDER BY at DESC, rowid DESC LIMIT ?`,
    ),
    documentsOfStream: db.prepare(
      `SELECT ${DOCUMENT} FROM documents WHERE kind = ? AND stream = ? ORDER BY at DESC, rowid DESC LIMIT ?`,
    ),
    addMessage: db.prepare(`INSERT INTO outbox (${OUTBOX}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (channel, key) DO NOTHING`),
    message: db.prepare(`SELECT ${OUTBOX} FROM outbox WHERE channel = ? AND key = ?`),
    settleMessage:
      db.prepare(`UPDATE outbox SET state = ?, attempts = ?, notBefore = ?, lastError = ?, crc = ?
      WHERE channel = ? AND key = ?`),
    pruneEvents: db.prepare('DELETE FROM events WHERE stream = ? AND sequence <= ?'),
    pruneMessages: db.prepare("DELETE FROM outbox WHERE state <> 'pending' AND notBefore < ?"),
    pruneDocument: db.prepare('DELETE FROM documents WHERE kind = ? AND id = ?'),
    newestMessages: db.prepare(`SELECT ${OUTBOX} FROM outbox ORDER BY id DESC LIMIT ?`),
  }
}

function prepareLeases(db: DatabaseSync) {
  return {
    revision: db.prepare(`SELECT coalesce(h.revision, s.revision) AS revision
      FROM streams s LEFT JOIN heads h USING (stream) WHERE stream = ?`),
    putHead:
      db.prepare(`INSERT INTO heads (stream, revision, crc) VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE SET
      revision = excluded.revision, crc = excluded.crc`),
    dropHead: db.prepare('DELETE FROM heads WHERE stream = ?'),
    lease: db.prepare(`SELECT ${LEASE} FROM leases WHERE stream = ?`),
    leases: db.prepare(`SELECT ${LEASE} FROM leases ORDER BY stream`),
    leasesOf: db.prepare(`SELECT ${LEASE} FROM leases WHERE session = ? ORDER BY stream`),
    putLease: db.prepare(`INSERT INTO leases (${LEASE}) VALUES (?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE SET
      epoch = excluded.epoch, session = excluded.session, crc = excluded.crc`),
    // Wanted since it was due, or since the first message of one of its channels may go. What the owner has is not free.
    wanted: db.prepare(`
      WITH first AS (SELECT min(id) AS id FROM outbox WHERE state = 'pending' GROUP BY stream, channel),
      wanted AS (SELECT stream, due AS since FROM streams WHERE due IS NOT NULL AND due <= :now
        UNION ALL SELECT stream, notBefore FROM outbox JOIN first USING (id) WHERE notBefore <= :now)
      SELECT wanted.stream FROM wanted JOIN leases USING (stream) WHERE session IS NOT :session
      GROUP BY wanted.stream ORDER BY min(since), wanted.stream LIMIT :limit`),
    // `clear` is when the message and all before it in its stream and channel may go, so order holds during back-off.
    // `turn` lets the channels alternate, so that a long queue of one cannot fill the whole answer.
    pendingMessages: db.prepare(`
      WITH waiting AS (SELECT *, max(iif(attempts > 0 AND notBefore <= :now + ${LONGEST_RETRY_MS}, notBefore, :now))
          OVER (PARTITION BY stream, channel ORDER BY id) AS clear
        FROM outbox WHERE state = 'pending' AND stream IN (SELECT stream FROM leases WHERE session = :session)),
      ready AS (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY id) AS turn FROM waiting WHERE clear <= :now)
      SELECT ${OUTBOX} FROM ready ORDER BY turn, id LIMIT :limit`),
    pruned: db.prepare('SELECT stream, through, crc FROM pruned WHERE stream = ?'),
    putPruned:
      db.prepare(`INSERT INTO pruned (stream, through, crc) VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE SET
      through = excluded.through, crc = excluded.crc`),
  }
}
