import * as z from 'zod'
import { ProblemError, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { StoreRow } from './store.ts'

const whole = z.int()
const count = z.int().nonnegative()
export const MessageBody = z.object({
  type: z.string(),
  timestamp: z.string(),
  severity: z.enum(['info', 'warning', 'error', 'critical']),
  summary: z.string(),
  data: z.record(z.string(), z.unknown()),
})
/** JSON has no `undefined`: a value that is missing was lost. */
const present = z.unknown().refine((value) => value !== undefined, 'the value is missing')
const Row = z.discriminatedUnion('row', [
  z.strictObject({
    row: z.literal('stream'),
    stream: z.string(),
    epoch: count,
    revision: count,
    schemaVersion: whole,
    state: present,
    stateRevision: count.exactOptional(),
    due: whole.nullable(),
  }),
  z.strictObject({
    row: z.literal('event'),
    stream: z.string(),
    sequence: z.int().positive(),
    at: whole,
    kind: z.string(),
    event: present,
  }),
  z.strictObject({
    row: z.literal('document'),
    kind: z.string(),
    id: z.string(),
    stream: z.string(),
    at: whole,
    body: present,
  }),
  z.strictObject({
    row: z.literal('message'),
    channel: z.string(),
    key: z.string(),
    stream: z.string(),
    message: MessageBody,
    state: z.enum(['pending', 'delivered', 'dead']),
    attempts: count,
    notBefore: whole,
    lastError: z.string().nullable(),
  }),
]) satisfies z.ZodType<StoreRow>

type Seen = { revision: number; stateRevision: number; first: number | null; last: number | null }
/** What a whole dump was made of. `prunedThrough`: events up to and including this number were removed before. */
export type Filled = { rows: number; prunedThrough: Map<string, number> }

/** Looks at the rows of a dump one by one, and says what is wrong with one, or with all of them at the end. */
export type RowCheck = {
  take(raw: unknown): { kind: 'sound'; row: StoreRow } | { kind: 'wrong'; complaint: string }
  end(): { kind: 'sound'; filled: Filled } | { kind: 'wrong'; complaint: string }
}

/** The shape of each row, and that it fits what came before: known streams, events without gaps up to the revision, nothing twice. */
export function createRowCheck(): RowCheck {
  const seen = { streams: new Map<string, Seen>(), keys: new Set<string>() }
  let rows = 0
  return {
    take: (raw) => {
      rows += 1
      const parsed = Row.safeParse(raw)
      if (!parsed.success)
        return { kind: 'wrong', complaint: z.prettifyError(parsed.error).replaceAll('\n', ' ') }
      const complaint = complaintAbout(seen, parsed.data)
      return complaint === null ? { kind: 'sound', row: parsed.data } : { kind: 'wrong', complaint }
    },
    end: () => {
      const cut = [...seen.streams].find(([, { last, revision }]) => last !== null && last !== revision)
      if (cut !== undefined) {
        const [stream, { last, revision }] = cut
        return {
          kind: 'wrong',
          complaint: `${stream} is at revision ${revision} but its last event is ${last}`,
        }
      }
      const lacking = [...seen.streams].find(([, of]) => firstLeft(of) > of.stateRevision + 1)
      if (lacking !== undefined) {
        const [stream, of] = lacking
        return {
          kind: 'wrong',
          complaint: `the state of ${stream} is of revision ${of.stateRevision} but its first event is ${firstLeft(of)}`,
        }
      }
      const prunedThrough = [...seen.streams].map(([stream, of]) => [stream, firstLeft(of) - 1] as const)
      return { kind: 'sound', filled: { rows, prunedThrough: new Map(prunedThrough) } }
    },
  }
}

/**
 * Hands every row of a dump to `put`, after checking it. Stops at the first row that is wrong; the caller then takes all
 * of it back.
 */
export async function fillFrom(
  rows: AsyncIterable<StoreRow> | Iterable<StoreRow>,
  put: (row: StoreRow) => void | Promise<void>,
): Promise<Result<Filled>> {
  const check = createRowCheck()
  let read = 0
  try {
    for await (const raw of rows) {
      read += 1
      const taken = check.take(raw)
      if (taken.kind === 'wrong') return failed(damaged(read, taken.complaint))
      await put(taken.row)
    }
  } catch (error) {
    if (error instanceof ProblemError) return failed(error.problem)
    throw error
  }
  const ended = check.end()
  return ended.kind === 'sound' ? ok(ended.filled) : failed(damaged(read, ended.complaint))
}

function complaintAbout(
  seen: { streams: Map<string, Seen>; keys: Set<string> },
  row: StoreRow,
): string | null {
  if (row.row === 'event') return eventComplaint(seen.streams.get(row.stream), row)
  if (row.row === 'message' && !seen.streams.has(row.stream))
    return `message ${row.key} belongs to ${row.stream}, which is not there`
  const key = keyOf(row)
  if (seen.keys.has(key)) return `${key} is there twice`
  seen.keys.add(key)
  if (row.row === 'stream') return streamComplaint(seen.streams, row)
  return null
}

function streamComplaint(
  streams: Map<string, Seen>,
  { stream, revision, stateRevision = revision }: Extract<StoreRow, { row: 'stream' }>,
): string | null {
  streams.set(stream, { revision, stateRevision, first: null, last: null })
  return stateRevision <= revision
    ? null
    : `the state of ${stream} is of revision ${stateRevision}, after its revision ${revision}`
}

/** The first event that is there, or the one that comes next. */
const firstLeft = ({ first, revision }: Seen): number => first ?? revision + 1

function eventComplaint(
  of: Seen | undefined,
  { stream, sequence }: { stream: string; sequence: number },
): string | null {
  if (of === undefined) return `event ${sequence} belongs to ${stream}, which is not there`
  if (of.last !== null && sequence !== of.last + 1)
    return `after event ${of.last} of ${stream} comes event ${sequence}`
  if (sequence > of.revision) return `event ${sequence} of ${stream} is after its revision ${of.revision}`
  of.first ??= sequence
  of.last = sequence
  return null
}

function keyOf(row: Exclude<StoreRow, { row: 'event' }>): string {
  if (row.row === 'stream') return `stream ${JSON.stringify(row.stream)}`
  if (row.row === 'document') return `document ${JSON.stringify([row.kind, row.id])}`
  return `message ${JSON.stringify([row.channel, row.key])}`
}

const damaged = (row: number, cause: string) =>
  problem('STORE_DUMP_DAMAGED', {
    message: `Row ${row} of the copy is damaged: ${cause}. Nothing was restored.`,
    cause,
    remedy: 'Use another copy.',
  })

export const notEmpty = (place: string) =>
  problem('STORE_NOT_EMPTY', {
    message: `The state in ${place} is not empty, so a copy cannot be restored into it.`,
    remedy: 'Restore with --replace: it keeps the old state aside, and says where.',
  })

export const nothingThere = (place: string) =>
  problem('STORE_EMPTY', {
    message: `There is no state in ${place} yet, so there is nothing to copy.`,
    remedy: 'Look whether this is the right folder or database. `sluice up` begins a new state.',
  })

/** Runs the receiver of a dump; a `Problem` that it can only throw becomes the answer. */
export async function dumping<T>(run: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ProblemError) return failed(error.problem)
    throw error
  }
}
