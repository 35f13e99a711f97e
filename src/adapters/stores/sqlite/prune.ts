import type { PruneRequest } from '../../../ports/store.ts'
import { readPruned, readStream, sealPruned } from './rows.ts'
import type { Statements } from './statements.ts'

/** Runs inside a transaction. */
export function prune(sql: Statements, request: PruneRequest) {
  const events = request.events.reduce((sum, of) => sum + pruneEvents(sql, of), 0)
  const messages = Number(sql.pruneMessages.run(request.settledBefore).changes)
  const documents = request.documents.reduce(
    (sum, { kind, id }) => sum + Number(sql.pruneDocument.run(kind, id).changes),
    0,
  )
  return { events, messages, documents }
}

/** How far a stream was cut is written down: events that are missing after that are damage. */
function pruneEvents(sql: Statements, { stream, through }: { stream: string; through: number }): number {
  const row = sql.stream.get(stream)
  if (row === undefined) return 0
  const last = Math.min(through, readStream(row).revision)
  const before = sql.pruned.get(stream)
  if (last <= (before === undefined ? 0 : readPruned(before))) return 0
  writePruned(sql, stream, last)
  return Number(sql.pruneEvents.run(stream, last).changes)
}

export function writePruned(sql: Statements, stream: string, through: number): void {
  sql.putPruned.run(stream, through, sealPruned(stream, through))
}
