import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { ControllerIdentity, HeldLease, Lease } from '../../../ports/store.ts'
import { fenced } from '../../../ports/store-problems.ts'
import { type Query, query } from './database.ts'
import { type Handle, rowsOf } from './handle.ts'
import { Epoch, readLease, shaped } from './rows.ts'

const Kept = z.object({ epoch: z.int(), session: z.string().nullable() })

/** Frees what an earlier joining of this handle held. It is a write, so a server that only reads is found out here. */
export async function join(
  handle: Handle,
  { name, pid, startedAt, host }: ControllerIdentity,
): Promise<Result<void>> {
  await free(handle, handle.session ?? randomUUID())
  handle.controller = JSON.stringify({ name, pid, startedAt, host })
  handle.session = randomUUID()
  return ok(undefined)
}

export async function free(handle: Handle, session: string): Promise<void> {
  await rowsOf(
    handle,
    `UPDATE ${handle.in}.leases SET session = NULL, controller = NULL, until = NULL WHERE session = $1`,
    [session],
  )
}

/**
 * Those who claim at the same time skip what another one is looking at, so nobody waits and none is given twice. A stream
 * is wanted since it was due, or since the first message of one of its channels may go.
 */
const CLAIM = (schema: string) => `
WITH first AS (SELECT DISTINCT ON (stream, channel) stream, not_before FROM ${schema}.outbox WHERE state = 'pending'
    ORDER BY stream, channel, id),
  wanted AS (SELECT stream, due AS since FROM ${schema}.streams WHERE due <= $1
    UNION ALL SELECT stream, not_before FROM first WHERE not_before <= $1),
  longest AS (SELECT stream, min(since) AS since FROM wanted GROUP BY stream),
  free AS (SELECT stream, since FROM ${schema}.leases JOIN longest USING (stream) WHERE session IS NULL OR until <= now()
    ORDER BY since, stream LIMIT $2 FOR UPDATE OF leases SKIP LOCKED),
  taken AS (UPDATE ${schema}.leases l SET epoch = epoch + 1, session = $3, controller = $4,
      until = now() + $5::float8 * interval '1 ms'
    FROM free WHERE l.stream = free.stream RETURNING l.stream, l.epoch, free.since)
SELECT stream, epoch FROM taken ORDER BY since, stream`

export async function claim(
  handle: Handle,
  session: string,
  { now, leaseMs, limit }: { now: number; leaseMs: number; limit: number },
): Promise<Result<Lease[]>> {
  const values = [now, limit, session, handle.controller, leaseMs]
  const rows = await rowsOf(handle, CLAIM(handle.in), values)
  const leases = rows.map((row) => shaped(Epoch, row, 'leases'))
  handle.hints.tell(leases.map(({ stream }) => stream))
  return ok(leases)
}

/** In order of names, so that two that go over the same rows never wait for each other in a circle. */
export async function renew(handle: Handle, session: string, leaseMs: number): Promise<Result<Lease[]>> {
  const rows = await query(
    { pool: handle.database.leasePool },
    `WITH mine AS (SELECT stream FROM ${handle.in}.leases WHERE session = $1 ORDER BY stream FOR UPDATE),
      renewed AS (UPDATE ${handle.in}.leases l SET until = now() + $2::float8 * interval '1 ms'
        FROM mine WHERE l.stream = mine.stream RETURNING l.stream, l.epoch)
      SELECT stream, epoch FROM renewed ORDER BY stream`,
    [session, leaseMs],
  )
  return ok(rows.map((row) => shaped(Epoch, row, 'leases')))
}

export async function release(
  handle: Handle,
  session: string,
  streams: readonly string[],
): Promise<Result<void>> {
  await rowsOf(
    handle,
    `WITH mine AS (SELECT stream FROM ${handle.in}.leases WHERE session = $1 AND stream = ANY ($2) ORDER BY stream FOR UPDATE)
      UPDATE ${handle.in}.leases l SET session = NULL, controller = NULL, until = NULL FROM mine WHERE l.stream = mine.stream`,
    [session, streams],
  )
  handle.hints.tell(streams)
  return ok(undefined)
}

export async function raiseEpoch(
  handle: Handle,
  session: string,
  { stream, atLeast }: { stream: string; atLeast: number },
): Promise<Result<Lease>> {
  const [raised] = await rowsOf(
    handle,
    `UPDATE ${handle.in}.leases SET epoch = greatest(epoch, $3) WHERE stream = $1 AND session = $2 RETURNING stream, epoch`,
    [stream, session, atLeast],
  )
  if (raised !== undefined) return ok(shaped(Epoch, raised, 'leases'))
  const [kept] = await rowsOf(handle, `SELECT stream, epoch FROM ${handle.in}.leases WHERE stream = $1`, [
    stream,
  ])
  const newest = kept === undefined ? null : shaped(Epoch, kept, 'leases').epoch
  return failed(fenced(stream, { mine: null, newest }))
}

/** The row is locked until the transaction ends: nobody can take the lease between this check and the write. */
export async function checkLease(
  ask: Query,
  { schema, session, stream, epoch }: { schema: string; session: string; stream: string; epoch: number },
): Promise<Result<void>> {
  const [row] = await ask(`SELECT epoch, session FROM ${schema}.leases WHERE stream = $1 FOR SHARE`, [stream])
  if (row === undefined) return failed(fenced(stream, { mine: epoch, newest: null }))
  const kept = shaped(Kept, row, 'leases')
  const mine = kept.session === session && kept.epoch === epoch
  return mine ? ok(undefined) : failed(fenced(stream, { mine: epoch, newest: kept.epoch }))
}

export async function leases(handle: Handle): Promise<Result<HeldLease[]>> {
  const rows = await rowsOf(
    handle,
    `SELECT stream, epoch, controller, (extract(epoch FROM until) * 1000)::bigint AS until FROM ${handle.in}.leases ORDER BY stream`,
  )
  return ok(rows.map(readLease))
}
