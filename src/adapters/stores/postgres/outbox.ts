import * as z from 'zod'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { LONGEST_RETRY_MS, type OutboxMessage, type SettleMessage } from '../../../ports/store.ts'
import { unknownMessage } from '../../../ports/store-problems.ts'
import { type Handle, rowsOf } from './handle.ts'
import { readMessage, shaped } from './rows.ts'

const COLUMNS = 'channel, key, stream, message, state, attempts, not_before, last_error'
const Settled = z.object({ settled: z.boolean() })

/**
 * `clear` is when a message and all before it in its stream and channel may go, so order holds during back-off. `turn` lets
 * the channels alternate, so that a long queue of one cannot fill the whole answer.
 */
export async function pendingMessages(
  handle: Handle,
  { now, limit }: { now: number; limit: number },
): Promise<Result<OutboxMessage[]>> {
  if (handle.session === null) return ok([])
  const rows = await rowsOf(
    handle,
    `WITH waiting AS (SELECT *, max(CASE WHEN attempts > 0 AND not_before <= $2::bigint + ${LONGEST_RETRY_MS} THEN not_before ELSE $2 END)
          OVER (PARTITION BY stream, channel ORDER BY id) AS clear
        FROM ${handle.in}.outbox WHERE state = 'pending'
        AND stream IN (SELECT stream FROM ${handle.in}.leases WHERE session = $1)),
      ready AS (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY id) AS turn FROM waiting WHERE clear <= $2)
      SELECT ${COLUMNS} FROM ready ORDER BY turn, id LIMIT $3`,
    [handle.session, now, limit],
  )
  return ok(rows.map(readMessage))
}

export async function listMessages(handle: Handle, limit: number): Promise<Result<OutboxMessage[]>> {
  const rows = await rowsOf(handle, `SELECT ${COLUMNS} FROM ${handle.in}.outbox ORDER BY id DESC LIMIT $1`, [
    limit,
  ])
  return ok(rows.map(readMessage))
}

/** Records what became of one attempt. A message that is no longer pending stays as it is: repeats are harmless. */
export async function settle(handle: Handle, outcome: SettleMessage): Promise<Result<void>> {
  const { channel, key, state, notBefore, error } = outcomeOf(outcome)
  const [row] = await rowsOf(
    handle,
    `WITH settled AS (UPDATE ${handle.in}.outbox SET state = $3, attempts = attempts + 1,
        not_before = coalesce($4, not_before), last_error = coalesce($5, last_error)
        WHERE channel = $1 AND key = $2 AND state = 'pending' RETURNING id)
      SELECT EXISTS (SELECT FROM settled) OR EXISTS (SELECT FROM ${handle.in}.outbox WHERE channel = $1 AND key = $2) AS settled`,
    [channel, key, state, notBefore, error],
  )
  return shaped(Settled, row, 'outbox').settled ? ok(undefined) : failed(unknownMessage(channel, key))
}

function outcomeOf(outcome: SettleMessage) {
  const { channel, key } = outcome
  switch (outcome.kind) {
    case 'delivered':
      return { channel, key, state: 'delivered', notBefore: outcome.at, error: null }
    case 'retry':
      return { channel, key, state: 'pending', notBefore: outcome.notBefore, error: storable(outcome.error) }
    case 'dead':
      return { channel, key, state: 'dead', notBefore: null, error: storable(outcome.error) }
  }
}

/** PostgreSQL keeps no NUL in a text, and an answer from outside may hold one. */
const storable = (text: string): string => text.replaceAll('\u0000', '\ufffd')
