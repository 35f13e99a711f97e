/**
 * What brings the tables from format n to n + 1, beginning with nothing. Never change a step that was released: add one.
 *
 * Values are kept as `text` that holds JSON, because `jsonb` reorders keys, changes numbers and refuses `\u0000`. Look at one
 * with `state::json`. Names are ordered by their bytes (`COLLATE "C"`), whatever language the server speaks.
 */
export const STEPS: readonly ((schema: string) => string)[] = [
  (schema) => `
CREATE TABLE ${schema}.streams (stream text COLLATE "C" PRIMARY KEY, revision bigint NOT NULL, schema_version bigint NOT NULL,
  state text NOT NULL, due bigint);
CREATE INDEX streams_by_due ON ${schema}.streams (due) WHERE due IS NOT NULL;
CREATE TABLE ${schema}.leases (stream text COLLATE "C" PRIMARY KEY REFERENCES ${schema}.streams, epoch bigint NOT NULL,
  session uuid, controller text, until timestamptz, CHECK ((session IS NULL) = (until IS NULL)));
CREATE INDEX leases_by_session ON ${schema}.leases (session) WHERE session IS NOT NULL;
CREATE TABLE ${schema}.events (stream text COLLATE "C" NOT NULL REFERENCES ${schema}.streams, sequence bigint NOT NULL,
  at bigint NOT NULL, kind text NOT NULL, event text NOT NULL, PRIMARY KEY (stream, sequence));
CREATE TABLE ${schema}.documents (kind text NOT NULL, id text NOT NULL, stream text COLLATE "C" NOT NULL, at bigint NOT NULL,
  body text NOT NULL, added bigint GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (kind, id));
CREATE INDEX documents_by_age ON ${schema}.documents (kind, at, added);
CREATE INDEX documents_by_stream ON ${schema}.documents (kind, stream, at, added);
CREATE TABLE ${schema}.outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, channel text NOT NULL, key text NOT NULL,
  stream text COLLATE "C" NOT NULL REFERENCES ${schema}.streams, message text NOT NULL, state text NOT NULL,
  attempts bigint NOT NULL, not_before bigint NOT NULL, last_error text, UNIQUE (channel, key));
CREATE INDEX outbox_pending ON ${schema}.outbox (stream, channel, id) WHERE state = 'pending';
CREATE INDEX outbox_settled ON ${schema}.outbox (not_before) WHERE state <> 'pending';
`,
  /** The revision that the state is of; NULL: that of the stream. */
  (schema) => `ALTER TABLE ${schema}.streams ADD COLUMN state_revision bigint;`,
]
