import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { Event } from '../../../src/core/rollout/event.ts'

const Row = z.object({ sequence: z.int(), event: z.string() })

export type Entry = { sequence: number; event: Event }

/** Reads the events of a stream, read-only. This process never holds the file otherwise, so no lock of the controller is lost. */
export function readJournal(file: string, stream: string): Entry[] {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const rows = db
      .prepare('SELECT sequence, event FROM events WHERE stream = ? ORDER BY sequence')
      .all(stream)
    return rows.map((row) => {
      const { sequence, event } = Row.parse(row)
      return { sequence, event: Event.parse(JSON.parse(event)) }
    })
  } finally {
    db.close()
  }
}

/** The events of one kind, typed. */
export function eventsOf<K extends Event['kind']>(
  entries: readonly Entry[],
  kind: K,
): Extract<Event, { kind: K }>[] {
  return entries.flatMap(({ event }) => (isKind(event, kind) ? [event] : []))
}

const isKind = <K extends Event['kind']>(event: Event, kind: K): event is Extract<Event, { kind: K }> =>
  event.kind === kind
