import * as z from 'zod'
import type {
  HeldLease,
  OutboxMessage,
  StoredDocument,
  StoredEvent,
  StoredStream,
} from '../../../ports/store.ts'
import { MessageBody } from '../../../ports/store-rows.ts'

/** A row that is not what was written. The message names the row; it ends as `STORE_CORRUPT`. */
export class DamagedRowError extends Error {}

/** JSON has no `undefined`; at the top level it is kept as `null`. */
export const encode = (value: unknown): string => JSON.stringify(value) ?? 'null'

const whole = z.int()
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue('the value is not JSON')
    return z.NEVER
  }
})
const StreamRow = z.object({
  stream: z.string(),
  revision: whole,
  schema_version: whole,
  /** `NULL` is not in the table: the state was not asked for. */
  state: z
    .null()
    .transform(() => undefined)
    .or(json),
  state_revision: whole.nullable(),
  due: whole.nullable(),
})
const EventRow = z.object({ stream: z.string(), sequence: whole, at: whole, kind: z.string(), event: json })
const DocumentRow = z.object({ kind: z.string(), id: z.string(), stream: z.string(), at: whole, body: json })
const OutboxRow = z.object({
  channel: z.string(),
  key: z.string(),
  stream: z.string(),
  message: json.pipe(MessageBody),
  state: z.enum(['pending', 'delivered', 'dead']),
  attempts: whole,
  not_before: whole,
  last_error: z.string().nullable(),
})
const Controller = z.object({ name: z.string(), pid: z.int(), startedAt: z.number(), host: z.string() })
const LeaseRow = z.object({
  stream: z.string(),
  epoch: whole,
  controller: json.pipe(Controller).nullable(),
  until: whole.nullable(),
})

export const Epoch = z.object({ stream: z.string(), epoch: whole })
export const Count = z.object({ count: whole })

export function readStream(row: unknown): StoredStream {
  const { schema_version: schemaVersion, state_revision, ...rest } = shaped(StreamRow, row, 'streams')
  return { ...rest, schemaVersion, ...(state_revision === null ? {} : { stateRevision: state_revision }) }
}

export const readEvent = (row: unknown): StoredEvent => shaped(EventRow, row, 'events')
export const readDocument = (row: unknown): StoredDocument => shaped(DocumentRow, row, 'documents')
export const readLease = (row: unknown): HeldLease => shaped(LeaseRow, row, 'leases')

export function readMessage(row: unknown): OutboxMessage {
  const { not_before: notBefore, last_error: lastError, ...rest } = shaped(OutboxRow, row, 'outbox')
  return { ...rest, notBefore, lastError }
}

export function shaped<T>(schema: z.ZodType<T>, value: unknown, table: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new DamagedRowError(`${table}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`)
}
