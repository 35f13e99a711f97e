import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { HeldLease, Lease } from '../../../ports/store.ts'
import { fenced } from '../../../ports/store-problems.ts'
import { writeLease } from './append.ts'
import { type Handle, type Owner, ownerOf } from './owner.ts'
import { type LeaseFields, readFileEpoch, readLease } from './rows.ts'
import { readFormat } from './verify.ts'

/** Runs inside a transaction, like all that writes here. */
export function claim({ sql, session }: Owner, { now, limit }: { now: number; limit: number }): Lease[] {
  return sql.wanted.all({ now, session, limit }).map((row) => {
    const before = readLease(sql.lease.get(String(row.stream)))
    const after = { stream: before.stream, epoch: before.epoch + 1, session }
    writeLease(sql, after)
    return { stream: after.stream, epoch: after.epoch }
  })
}

export const heldBy = ({ sql, session }: Owner): Lease[] =>
  sql.leasesOf.all(session).map((row) => {
    const { stream, epoch } = readLease(row)
    return { stream, epoch }
  })

export function release({ sql, session }: Owner, streams: readonly string[]): void {
  for (const stream of streams) {
    const lease = leaseOf({ sql, session }, stream)
    if (lease !== null) writeLease(sql, { ...lease, session: null })
  }
}

export function raiseEpoch(owner: Owner, of: { stream: string; atLeast: number }): Result<Lease> {
  const lease = leaseOf(owner, of.stream)
  if (lease === null) return failed(fenced(of.stream, { mine: null, newest: newestOf(owner, of.stream) }))
  const epoch = Math.max(lease.epoch, of.atLeast)
  writeLease(owner.sql, { ...lease, epoch })
  return ok({ stream: of.stream, epoch })
}

/** The lease, if it is this owner's. */
function leaseOf({ sql, session }: Owner, stream: string): LeaseFields | null {
  const row = sql.lease.get(stream)
  const lease = row === undefined ? null : readLease(row)
  return lease?.session === session ? lease : null
}

function newestOf({ sql }: Owner, stream: string): number | null {
  const row = sql.lease.get(stream)
  return row === undefined ? null : readLease(row).epoch
}

/** Needs no joining, and a file of an older format is only looked at. */
export function heldLeases({ db, common }: Handle): HeldLease[] {
  const owner = ownerOf(common)
  return allLeases({ db, common }).map(({ stream, epoch, session }) => {
    if (owner === null || session !== owner.session) return { stream, epoch, controller: null, until: null }
    const { name, pid, host, startedAt } = owner
    return { stream, epoch, controller: { name, pid, host, startedAt }, until: null }
  })
}

export function allLeases({ db, common }: Pick<Handle, 'db' | 'common'>): LeaseFields[] {
  if (readFormat(db) !== 1) return db.prepare('SELECT * FROM leases ORDER BY stream').all().map(readLease)
  const epoch = readFileEpoch(db.prepare('SELECT epoch, crc FROM lease WHERE id = 1').get())
  return common.streamNames.all().map(({ stream }) => ({ stream: String(stream), epoch, session: null }))
}
