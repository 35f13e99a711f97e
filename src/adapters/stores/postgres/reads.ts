import * as z from 'zod'
import { ok, type Result } from '../../../core/shared/result.ts'
import type { StoredDocument, StoredStream } from '../../../ports/store.ts'
import { type Database, query } from './database.ts'
import { createGatherer } from './gather.ts'
import { readDocument, readStream, shaped } from './rows.ts'

const Place = z.object({ place: z.int() })
type Row = Record<string, unknown>
/** `null`: there is no such row. */
type Found = { row: Row | null }

/** What every look at every stream asks for. */
export type Reads = {
  load(stream: string, known: number | undefined): Promise<Result<StoredStream | null>>
  getDocument(kind: string, id: string): Promise<Result<StoredDocument | null>>
}

export function createReads(database: Database): Reads {
  const schema = database.address.schema
  const streams = createGatherer(async (keys: readonly { stream: string; known: number | null }[]) => {
    const rows = await query(
      database,
      `SELECT one.place, stream, revision, schema_version, state_revision, due,
        CASE WHEN revision IS DISTINCT FROM one.known THEN state END AS state
      FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS one (stream, known, place)
      JOIN ${schema}.streams USING (stream)`,
      [keys.map(({ stream }) => stream), keys.map(({ known }) => known)],
    )
    return inPlace(rows, keys.length)
  })
  const documents = createGatherer(async (keys: readonly { kind: string; id: string }[]) => {
    const rows = await query(
      database,
      `SELECT one.place, kind, id, stream, at, body
      FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS one (kind, id, place)
      JOIN ${schema}.documents USING (kind, id)`,
      [keys.map(({ kind }) => kind), keys.map(({ id }) => id)],
    )
    return inPlace(rows, keys.length)
  })
  return {
    load: async (stream, known) => read(await streams({ stream, known: known ?? null }), readStream),
    getDocument: async (kind, id) => read(await documents({ kind, id }), readDocument),
  }
}

/** A row that is damaged is a matter of the one who asked for it, so the rows are read there. */
const read = <T>({ row }: Found, shape: (row: unknown) => T): Result<T | null> =>
  ok(row === null ? null : shape(row))

/** A question has one row or none. */
function inPlace(rows: readonly Row[], count: number): Found[] {
  const byPlace = new Map(rows.map((row) => [shaped(Place, row, 'answers').place, row]))
  return Array.from({ length: count }, (_, index) => ({ row: byPlace.get(index + 1) ?? null }))
}
