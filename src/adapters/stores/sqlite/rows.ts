import { crc32 } from 'node:zlib'
import * as z from 'zod'
import type { OutboxMessage, StoredDocument, StoredEvent, StoredStream } from '../../../ports/store.ts'
import { MessageBody } from '../../../ports/store-rows.ts'

/** A row that is not what was written. The message names the row; it ends as `STORE_CORRUPT`. */
export class DamagedRowError extends Error {}

type Fields = readonly (string | number | null)[]

/**
 * The seal of a row: a CRC-32 over its fields, which finds every single changed byte. Not a defence against forgery. The
 * long text of a row comes last and as it is: to quote it once more would take ten times as long as the sum itself.
 */
const sealOf = (fields: Fields, text = ''): number => crc32(text, crc32(JSON.stringify(fields)))

/** JSON has no `undefined`; at the top level it is kept as `null`. */
export const encode = (value: unknown): string => JSON.stringify(value) ?? 'null'

const whole = z.int()
const MetaRow = z.object({ name: z.string(), value: z.string(), crc: whole })
/** The one lease of a file of format 1. */
const FileLeaseRow = z.object({ epoch: whole, crc: whole })
const LeaseRow = z.object({ stream: z.string(), epoch: whole, session: z.string().nullable(), crc: whole })
const PrunedRow = z.object({ stream: z.string(), through: whole, crc: whole })
const StreamRow = z.object({
  stream: z.string(),
  revision: whole,
  schemaVersion: whole,
  state: z.string(),
  due: whole.nullable(),
  crc: whole,
})
const RevisionRow = StreamRow.pick({ revision: true })
const HeadRow = z.object({ stream: z.string(), revision: whole, crc: whole })
const EventRow = z.object({
  stream: z.string(),
  sequence: whole,
  at: whole,
  kind: z.string(),
  event: z.string(),
  crc: whole,
})
const DocumentRow = z.object({
  kind: z.string(),
  id: z.string(),
  stream: z.string(),
  at: whole,
  body: z.string(),
  crc: whole,
})
const OutboxRow = z.object({
  channel: z.string(),
  key: z.string(),
  stream: z.string(),
  message: z.string(),
  state: z.enum(['pending', 'delivered', 'dead']),
  attempts: whole,
  notBefore: whole,
  lastError: z.string().nullable(),
  crc: whole,
})
type StreamFields = Omit<z.infer<typeof StreamRow>, 'crc'>
export type LeaseFields = Omit<z.infer<typeof LeaseRow>, 'crc'>
type EventFields = Omit<z.infer<typeof EventRow>, 'crc'>
type DocumentFields = Omit<z.infer<typeof DocumentRow>, 'crc'>
export type OutboxFields = Omit<z.infer<typeof OutboxRow>, 'crc'>

export const sealMeta = (name: string, value: string): number => sealOf([name, value])
export const sealLease = (r: LeaseFields): number => sealOf(['lease', r.stream, r.epoch, r.session])
export const sealHead = (stream: string, revision: number): number => sealOf(['head', stream, revision])
export const sealPruned = (stream: string, through: number): number => sealOf(['pruned', stream, through])
export const sealStream = (r: StreamFields): number =>
  sealOf([r.stream, r.revision, r.schemaVersion, r.due], r.state)
export const sealEvent = (r: EventFields): number => sealOf([r.stream, r.sequence, r.at, r.kind], r.event)
export const sealDocument = (r: DocumentFields): number => sealOf([r.kind, r.id, r.stream, r.at], r.body)
export const sealOutbox = (r: OutboxFields): number =>
  sealOf([r.channel, r.key, r.stream, r.state, r.attempts, r.notBefore, r.lastError], r.message)

/** Rows that were written in format 1 or 2 stay as they are until they are written again; their seal quotes the text. */
const OLD = {
  stream: (r: StreamFields) => sealOf([r.stream, r.revision, r.schemaVersion, r.state, r.due]),
  event: (r: EventFields) => sealOf([r.stream, r.sequence, r.at, r.kind, r.event]),
  document: (r: DocumentFields) => sealOf([r.kind, r.id, r.stream, r.at, r.body]),
  outbox: (r: OutboxFields) =>
    sealOf([r.channel, r.key, r.stream, r.message, r.state, r.attempts, r.notBefore, r.lastError]),
}

export function readMeta(row: unknown): string {
  const meta = shaped(MetaRow, row, 'meta')
  sealed(meta.crc, sealMeta(meta.name, meta.value), `meta ${meta.name}`)
  return meta.value
}

/** The epoch of a file of format 1. */
export function readFileEpoch(row: unknown): number {
  const lease = shaped(FileLeaseRow, row, 'lease')
  sealed(lease.crc, sealOf(['lease', lease.epoch]), 'lease')
  return lease.epoch
}

export function readLease(row: unknown): LeaseFields {
  const { crc, ...fields } = shaped(LeaseRow, row, 'leases')
  sealed(crc, sealLease(fields), `lease of ${fields.stream}`)
  return fields
}

export function readPruned(row: unknown): number {
  const { stream, through, crc } = shaped(PrunedRow, row, 'pruned')
  sealed(crc, sealPruned(stream, through), `pruned ${stream}`)
  return through
}

export function streamFields(row: unknown): StreamFields {
  const fields = shaped(StreamRow, row, 'streams')
  sealed(fields.crc, sealStream(fields), `stream ${fields.stream}`, () => OLD.stream(fields))
  return fields
}

/** As its row has it: the events since are not in it. */
export function readStream(row: unknown): StoredStream {
  const fields = streamFields(row)
  const { stream, revision, schemaVersion, due } = fields
  return { stream, revision, schemaVersion, due, state: decode(fields.state, `stream ${stream}`) }
}

export const readRevision = (row: unknown): number => shaped(RevisionRow, row, 'streams').revision

/** The revision of the stream; its state is older. */
export function readHead(row: unknown): number {
  const { stream, revision, crc } = shaped(HeadRow, row, 'heads')
  sealed(crc, sealHead(stream, revision), `head of ${stream}`)
  return revision
}

/** The row of a stream as the port has it: its revision is that of its last event. */
export function withHead(stored: StoredStream, head: unknown): StoredStream {
  return head === undefined ? stored : { ...stored, revision: readHead(head), stateRevision: stored.revision }
}

export function eventFields(row: unknown): EventFields {
  const fields = shaped(EventRow, row, 'events')
  sealed(fields.crc, sealEvent(fields), eventName(fields), () => OLD.event(fields))
  return fields
}

export function readEvent(row: unknown): StoredEvent {
  const fields = eventFields(row)
  const { stream, sequence, at, kind } = fields
  return { stream, sequence, at, kind, event: decode(fields.event, eventName(fields)) }
}

export function documentFields(row: unknown): DocumentFields {
  const fields = shaped(DocumentRow, row, 'documents')
  sealed(fields.crc, sealDocument(fields), documentName(fields), () => OLD.document(fields))
  return fields
}

export function readDocument(row: unknown): StoredDocument {
  const fields = documentFields(row)
  const { kind, id, stream, at } = fields
  return { kind, id, stream, at, body: decode(fields.body, documentName(fields)) }
}

/** The row as it is kept, for changing it. */
export function readOutboxFields(row: unknown): OutboxFields {
  const { crc, ...fields } = shaped(OutboxRow, row, 'outbox')
  sealed(crc, sealOutbox(fields), `message ${fields.channel}/${fields.key}`, () => OLD.outbox(fields))
  return fields
}

export function readMessage(row: unknown): OutboxMessage {
  const fields = readOutboxFields(row)
  const name = `message ${fields.channel}/${fields.key}`
  return { ...fields, message: shaped(MessageBody, decode(fields.message, name), name) }
}

const eventName = ({ stream, sequence }: EventFields): string => `event ${sequence} of ${stream}`
const documentName = ({ kind, id }: DocumentFields): string => `document ${kind}/${id}`

function shaped<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new DamagedRowError(`${name}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`)
}

function sealed(kept: number, computed: number, name: string, old?: () => number): void {
  if (kept !== computed && kept !== old?.())
    throw new DamagedRowError(`${name}: the row does not match its checksum`)
}

function decode(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new DamagedRowError(`${name}: the value is not JSON`)
  }
}
