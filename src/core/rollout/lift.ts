import { problem } from '../shared/problem.ts'
import type { Result } from '../shared/result.ts'
import { failed, ok } from '../shared/result.ts'
import type { Command } from './command.ts'
import type { Event } from './event.ts'
import type { Actor, Reason } from './reason.ts'
import type { ServiceState } from './state.ts'

type ByHand = { actor: Actor; note: string }

/** A person blocks a release. What runs goes on: to end it is another order. */
export function block(
  state: ServiceState,
  command: Extract<Command, { kind: 'block' }>,
  now: number,
): Result<Event[]> {
  const { release } = command
  if (state.blocks.some((one) => one.release === release.release)) return ok([])
  const reason = because('BLOCKED_BY_HAND', `blocked by ${command.actor.name}`, command)
  return ok([{ kind: 'release-blocked', at: now, block: { ...release, at: now, rollout: null, reason } }])
}

/** A version can stand for several releases that were made of it: all of them are lifted. */
export function unblock(
  { stream, blocks }: ServiceState,
  command: Extract<Command, { kind: 'unblock' }>,
  now: number,
): Result<Event[]> {
  const lifted = blocks.filter(({ release, version }) => [release, version].includes(command.release))
  if (lifted.length === 0) {
    const known = blocks.map(({ release }) => release).join(', ')
    return failed(
      problem('NOT_BLOCKED', {
        message: `${command.release} is not blocked in ${stream}.`,
        remedy: known === '' ? 'There is nothing to do.' : `Blocked are: ${known}.`,
      }),
    )
  }
  return ok(
    lifted.map(({ release, version }) => ({
      kind: 'release-unblocked',
      at: now,
      release,
      reason: because('RELEASE_UNBLOCKED', `${version} was unblocked by ${command.actor.name}`, command),
    })),
  )
}

/** Deploys are possible again, and rollbacks are counted anew. */
export function closeBreaker(state: ServiceState, command: ByHand, now: number): Result<Event[]> {
  if (state.breaker === null)
    return failed(
      problem('BREAKER_NOT_OPEN', {
        message: `The circuit breaker of ${state.stream} is not open.`,
        remedy: 'There is nothing to do.',
      }),
    )
  const reason = because('BREAKER_CLOSED', `the circuit breaker was closed by ${command.actor.name}`, command)
  return ok([{ kind: 'breaker-closed', at: now, reason }])
}

const because = (code: string, message: string, { actor, note }: ByHand): Reason => ({
  code,
  message: note === '' ? message : `${message}: ${note}`,
  evidence: note === '' ? {} : { note },
  actor,
})
