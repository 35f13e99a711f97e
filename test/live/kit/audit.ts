import * as z from 'zod'
import type { PostgresServer } from '../../../src/testkit/servers/postgres.test.kit.ts'

/** Who held a lease from when on, by the clock of the database; `writer` is who wrote the row. */
export type Holding = { at: number; stream: string; epoch: number; pid: number | null; writer: string }
/** Who wrote an event, and which epoch the stream was at. */
export type Writing = {
  at: number
  stream: string
  sequence: number
  kind: string
  epoch: number
  writer: string
  event: unknown
}

/** What the database itself saw, by triggers: nobody can act on the store without a line here. */
export type Audit = {
  holdings(): Promise<Holding[]>
  writings(): Promise<Writing[]>
  /** Now, by the clock of the database, in milliseconds. */
  now(): Promise<number>
}

const MS = '(extract(epoch FROM clock_timestamp()) * 1000)::float8'
const TRIGGERS = `
CREATE SCHEMA audit;
CREATE TABLE audit.holdings (id bigint GENERATED ALWAYS AS IDENTITY, at float8, stream text, epoch bigint, controller text, writer text);
CREATE TABLE audit.writings (id bigint GENERATED ALWAYS AS IDENTITY, at float8, stream text, sequence bigint, kind text, epoch bigint,
  writer text, event text);
CREATE FUNCTION audit.note_holding() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO audit.holdings (at, stream, epoch, controller, writer)
    VALUES (${MS}, NEW.stream, NEW.epoch, NEW.controller, current_setting('application_name'));
  RETURN NULL; END $$;
CREATE TRIGGER note_holding AFTER UPDATE ON sluice.leases FOR EACH ROW
  WHEN (OLD.epoch IS DISTINCT FROM NEW.epoch OR OLD.session IS DISTINCT FROM NEW.session) EXECUTE FUNCTION audit.note_holding();
CREATE FUNCTION audit.note_writing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO audit.writings (at, stream, sequence, kind, epoch, writer, event)
    SELECT ${MS}, NEW.stream, NEW.sequence, NEW.kind, l.epoch, current_setting('application_name'), NEW.event
    FROM sluice.leases l WHERE l.stream = NEW.stream;
  RETURN NULL; END $$;
CREATE TRIGGER note_writing AFTER INSERT ON sluice.events FOR EACH ROW EXECUTE FUNCTION audit.note_writing();
`

/** Needs the tables of the product. */
export async function startAudit(server: PostgresServer): Promise<Audit> {
  await server.sql(TRIGGERS)
  return {
    holdings: async () => (await server.sql('SELECT * FROM audit.holdings ORDER BY id')).map(readHolding),
    writings: async () => (await server.sql('SELECT * FROM audit.writings ORDER BY id')).map(readWriting),
    now: async () => z.object({ now: z.number() }).parse((await server.sql(`SELECT ${MS} AS now`))[0]).now,
  }
}

const Row = z.object({ at: z.number(), stream: z.string(), epoch: z.coerce.number(), writer: z.string() })
const HoldingRow = Row.extend({ controller: z.string().nullable() })
const WritingRow = Row.extend({ sequence: z.coerce.number(), kind: z.string(), event: z.string() })
const Identity = z.object({ pid: z.int() })

function readHolding(row: unknown): Holding {
  const { controller, ...rest } = HoldingRow.parse(row)
  return { ...rest, pid: controller === null ? null : Identity.parse(JSON.parse(controller)).pid }
}

function readWriting(row: unknown): Writing {
  const { event, ...rest } = WritingRow.parse(row)
  return { ...rest, event: JSON.parse(event) }
}
