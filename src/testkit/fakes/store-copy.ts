import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { OutboxMessage, PruneRequest, Store, StoreRow } from '../../ports/store.ts'
import { dumping, fillFrom, notEmpty } from '../../ports/store-rows.ts'
import { copy, type Memory, newMemory, putDocument } from './store-memory.ts'

export function pruneMemory(memory: Memory, request: PruneRequest) {
  const before = countIn(memory)
  for (const { stream, through } of request.events) {
    const events = memory.events.get(stream) ?? []
    const folded = memory.streams.get(stream)?.now.stateRevision ?? Number.POSITIVE_INFINITY
    memory.events.set(
      stream,
      events.filter(({ sequence }) => sequence > Math.min(through, folded)),
    )
  }
  memory.outbox = memory.outbox.filter((message) => !isOld(message, request.settledBefore))
  for (const { kind, id } of request.documents) memory.documents.delete(`${kind}\n${id}`)
  const after = countIn(memory)
  return {
    events: before.events - after.events,
    messages: before.messages - after.messages,
    documents: before.documents - after.documents,
  }
}

const isOld = ({ state, notBefore }: OutboxMessage, before: number): boolean =>
  state !== 'pending' && notBefore < before

const countIn = (memory: Memory) => ({
  events: [...memory.events.values()].reduce((sum, events) => sum + events.length, 0),
  messages: memory.outbox.length,
  documents: memory.documents.size,
})

export async function dumpRows(
  memory: Memory,
  onRow: Parameters<Store['dump']>[0],
): Promise<Result<{ rows: number }>> {
  const rows = rowsIn(memory)
  return dumping(async () => {
    for (const row of rows) await onRow(row)
    return ok({ rows: rows.length })
  })
}

function rowsIn(memory: Memory): StoreRow[] {
  const streams = [...memory.streams.keys()].sort()
  return copy([
    ...streams.flatMap((stream): StoreRow[] => {
      const kept = memory.streams.get(stream)?.now
      return kept === undefined
        ? []
        : [{ row: 'stream', epoch: memory.leases.get(stream)?.epoch ?? 0, ...kept }]
    }),
    ...streams.flatMap((stream) =>
      (memory.events.get(stream) ?? []).map((event): StoreRow => ({ row: 'event', ...event })),
    ),
    ...[...memory.documents.values()].map((document): StoreRow => ({ row: 'document', ...document })),
    ...memory.outbox.map((message): StoreRow => ({ row: 'message', ...message })),
  ])
}

/** Collected aside, and only a whole and sound copy becomes the content. */
export async function fillMemory(
  memory: Memory,
  rows: Parameters<Store['fill']>[0],
): Promise<Result<{ rows: number }>> {
  const aside = newMemory(memory)
  const read = await fillFrom(rows, (row) => putRow(aside, copy(row)))
  if (!isEmpty(memory)) return failed(notEmpty('memory'))
  if (read.kind === 'failed') return read
  memory.streams = aside.streams
  memory.events = aside.events
  memory.documents = aside.documents
  memory.outbox = aside.outbox
  memory.leases = aside.leases
  return ok({ rows: read.value.rows })
}

const isEmpty = ({ streams, documents, outbox }: Memory): boolean =>
  streams.size + documents.size + outbox.length === 0

function putRow(memory: Memory, kept: StoreRow): void {
  switch (kept.row) {
    case 'stream': {
      const { row: _, epoch, ...stream } = kept
      memory.streams.set(stream.stream, { now: stream, before: null })
      memory.events.set(stream.stream, [])
      memory.leases.set(stream.stream, { epoch, session: null, until: 0 })
      return
    }
    case 'event': {
      const { row: _, ...event } = kept
      memory.events.get(event.stream)?.push(event)
      return
    }
    case 'document': {
      const { row: _, ...document } = kept
      putDocument(memory, document)
      return
    }
    case 'message': {
      const { row: _, ...message } = kept
      memory.outbox.push(message)
      return
    }
  }
}
