import type { DatabaseSync } from 'node:sqlite'

/** Every statement of the store, compiled once. */
export type Statements = ReturnType<typeof prepareStatements>

const STREAM = 'stream, revision, schemaVersion, state, due, crc'
const EVENT = 'stream, sequence, at, kind, event, crc'
const DOCUMENT = 'kind, id, stream, at, body, crc'
const OUTBOX = 'channel, key, stream, message, state, attempts, notBefore, lastError, crc'

export function prepareStatements(db: DatabaseSync) {
  return {
    epoch: db.prepare('SELECT epoch, crc FROM lease WHERE id = 1'),
    setEpoch: db.prepare('UPDATE lease SET epoch = ?, crc = ? WHERE id = 1'),
    stream: db.prepare(`SELECT ${STREAM} FROM streams WHERE stream = ?`),
    streamNames: db.prepare('SELECT stream FROM streams ORDER BY stream'),
    dueStreams: db.prepare(
      'SELECT stream FROM streams WHERE due IS NOT NULL AND due <= ? ORDER BY due, stream LIMIT ?',
    ),
    putStream:
      db.prepare(`INSERT INTO streams (${STREAM}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE SET
      revision = excluded.revision, schemaVersion = excluded.schemaVersion, state = excluded.state,
      due = excluded.due, crc = excluded.crc`),
    addEvent: db.prepare(`INSERT INTO events (${EVENT}) VALUES (?, ?, ?, ?, ?, ?)`),
    events: db.prepare(
      `SELECT ${EVENT} FROM events WHERE stream = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
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
    // `clear` is when the message and all before it in its stream and channel may go, so order holds during back-off.
    // `turn` lets the channels alternate, so that a long queue of one cannot fill the whole answer.
    pendingMessages: db.prepare(`
      WITH waiting AS (SELECT *, max(notBefore) OVER (PARTITION BY stream, channel ORDER BY id) AS clear
        FROM outbox WHERE state = 'pending'),
      ready AS (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY id) AS turn FROM waiting WHERE clear <= ?)
      SELECT ${OUTBOX} FROM ready ORDER BY turn, id LIMIT ?`),
    newestMessages: db.prepare(`SELECT ${OUTBOX} FROM outbox ORDER BY id DESC LIMIT ?`),
  }
}
