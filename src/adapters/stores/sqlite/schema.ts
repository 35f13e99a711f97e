/** Grows with every change of the tables. A file with a higher number is refused, never guessed at. */
export const FORMAT = 3

/**
 * Every row carries a CRC-32 of its own fields: SQLite itself notices damage to the structure of a file, but not a changed
 * byte inside a value. `meta` must keep its shape in all formats, because it is read before the format is known.
 */
const TABLES = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE TABLE streams (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL, schemaVersion INTEGER NOT NULL,
  state TEXT NOT NULL, due INTEGER, crc INTEGER NOT NULL) STRICT;
CREATE INDEX streams_by_due ON streams (due, stream) WHERE due IS NOT NULL;
CREATE TABLE events (stream TEXT NOT NULL REFERENCES streams (stream), sequence INTEGER NOT NULL, at INTEGER NOT NULL,
  kind TEXT NOT NULL, event TEXT NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (stream, sequence)) STRICT;
CREATE TABLE documents (kind TEXT NOT NULL, id TEXT NOT NULL, stream TEXT NOT NULL, at INTEGER NOT NULL,
  body TEXT NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT;
CREATE INDEX documents_by_age ON documents (kind, at);
CREATE INDEX documents_by_stream ON documents (kind, stream, at);
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, key TEXT NOT NULL,
  stream TEXT NOT NULL REFERENCES streams (stream), message TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
  notBefore INTEGER NOT NULL, lastError TEXT, crc INTEGER NOT NULL, UNIQUE (channel, key)) STRICT;
CREATE INDEX outbox_pending ON outbox (stream, channel, id) WHERE state = 'pending';
`

/** Format 1 had one lease for the whole file. */
const LEASE_OF_FILE =
  'CREATE TABLE lease (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT;'

/**
 * `session` names the joining that took the lease; it holds as long as that joining is the owner in `meta`.
 * `pruned` says up to which event a stream was cut on purpose, so that a lost event still shows.
 */
const LEASES_OF_STREAMS = `
CREATE TABLE leases (stream TEXT PRIMARY KEY REFERENCES streams (stream), epoch INTEGER NOT NULL, session TEXT,
  crc INTEGER NOT NULL) STRICT;
CREATE TABLE pruned (stream TEXT PRIMARY KEY REFERENCES streams (stream), through INTEGER NOT NULL,
  crc INTEGER NOT NULL) STRICT;
`

/** How far a stream is, where events were written that the state in `streams` lacks. */
const HEADS = `
CREATE TABLE heads (stream TEXT PRIMARY KEY REFERENCES streams (stream), revision INTEGER NOT NULL,
  crc INTEGER NOT NULL) STRICT;
`

export const SCHEMA = TABLES + LEASES_OF_STREAMS + HEADS

/** What a sound file of each format is made of. */
export const SCHEMA_OF_FORMAT: Readonly<Record<number, string>> = {
  1: TABLES + LEASE_OF_FILE,
  2: TABLES + LEASES_OF_STREAMS,
  // The seals of rows are made in another way, too.
  3: SCHEMA,
}

/** From format 1 to 2; the rows of `leases` are written by the caller, who knows their seals. */
export const FROM_1_TO_2 = `DROP TABLE lease; ${LEASES_OF_STREAMS}`

export const FROM_2_TO_3 = HEADS
