import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { ControllerIdentity, HeldLease, Lease } from '../../ports/store.ts'
import { fenced } from '../../ports/store-problems.ts'
import { hint, type KeptLease, type Listeners, type Memory, pending, type Session } from './store-memory.ts'

export type Handle = { memory: Memory; session: Session | null; listeners: Listeners }

export function join(handle: Handle, controller: ControllerIdentity): Result<void> {
  const { memory } = handle
  if (!memory.shared && memory.owner !== null && memory.owner !== handle.session)
    return failed(locked(memory.owner.controller))
  freeAll(handle)
  handle.session = { controller: { ...controller } }
  if (!memory.shared) memory.owner = handle.session
  return ok(undefined)
}

/** The lease, when this handle has it and nobody took it since. That it ran out does not matter until somebody does. */
export function holds({ memory, session }: Handle, stream: string): KeptLease | null {
  const lease = memory.leases.get(stream)
  return lease !== undefined && session !== null && lease.session === session ? lease : null
}

export function claim(
  handle: Handle,
  { now, leaseMs, limit }: { now: number; leaseMs: number; limit: number },
): Lease[] {
  const { memory, session } = handle
  const until = memory.clock.monotonic() + leaseMs
  return wanting(memory, now)
    .filter(({ stream }) => isFree(memory, stream))
    .slice(0, limit)
    .map(({ stream }) => {
      const epoch = (memory.leases.get(stream)?.epoch ?? 0) + 1
      memory.leases.set(stream, { epoch, session, until })
      hint(memory, { stream, from: handle.listeners })
      return { stream, epoch }
    })
}

export function renew({ memory, session }: Handle, leaseMs: number): Lease[] {
  const until = memory.clock.monotonic() + leaseMs
  const mine = [...memory.leases].filter(([, lease]) => lease.session === session)
  for (const [, lease] of mine) lease.until = until
  return mine.map(([stream, { epoch }]) => ({ stream, epoch }))
}

export function leasesIn(memory: Memory): HeldLease[] {
  const ahead = memory.clock.now() - memory.clock.monotonic()
  return [...memory.streams.keys()].sort().map((stream) => {
    const { epoch, session, until } = memory.leases.get(stream) ?? { epoch: 0, session: null, until: 0 }
    const held = session !== null && (memory.shared || session === memory.owner)
    if (!held) return { stream, epoch, controller: null, until: null }
    return {
      stream,
      epoch,
      controller: { ...session.controller },
      until: memory.shared ? until + ahead : null,
    }
  })
}

export function close(handle: Handle): void {
  freeAll(handle)
  if (handle.memory.owner === handle.session) handle.memory.owner = null
  handle.session = null
  handle.memory.listeners.delete(handle.listeners)
}

export const fencedFor = (handle: Handle, stream: string, epoch: number | null): Problem =>
  fenced(stream, { mine: epoch, newest: handle.memory.leases.get(stream)?.epoch ?? null })

function freeAll({ memory, session }: Handle): void {
  if (session === null) return
  for (const lease of memory.leases.values()) if (lease.session === session) lease.session = null
}

function isFree(memory: Memory, stream: string): boolean {
  const lease = memory.leases.get(stream)
  if (lease === undefined || lease.session === null) return true
  return memory.shared ? lease.until <= memory.clock.monotonic() : lease.session !== memory.owner
}

/** Streams that want somebody, longest first. */
function wanting(memory: Memory, now: number): { stream: string; since: number }[] {
  const since = new Map<string, number>()
  const note = (stream: string, at: number) => since.set(stream, Math.min(at, since.get(stream) ?? at))
  for (const { now: kept } of memory.streams.values())
    if (kept.due !== null && kept.due <= now) note(kept.stream, kept.due)
  for (const { stream, notBefore } of pending(memory, { now, mine: () => true }))
    if (notBefore <= now) note(stream, notBefore)
  return [...since]
    .map(([stream, at]) => ({ stream, since: at }))
    .sort((a, b) => a.since - b.since || (a.stream < b.stream ? -1 : 1))
}

function locked({ name, pid, host, startedAt }: ControllerIdentity): Problem {
  const since = new Date(startedAt).toISOString()
  return problem('STORE_LOCKED', {
    message: `The state is owned by ${name}, process ${pid} on ${host}, started at ${since}.`,
    remedy: `Stop process ${pid} first.`,
  })
}
