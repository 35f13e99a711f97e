import { BLOCKS_LIMIT } from './block.ts'
import { AUTOMATIC_ROLLBACKS_LIMIT } from './breaker.ts'
import type { EventOf } from './event.ts'
import type { ServiceState } from './state.ts'

/** Releases whose attempts are remembered. */
const ATTEMPTS_LIMIT = 50

type PastFailures = Pick<ServiceState, 'blocks' | 'automaticRollbacks' | 'breaker' | 'attempts'>
type FailureEvent = EventOf<'release-blocked' | 'release-unblocked' | 'breaker-opened' | 'breaker-closed'>

/** What is remembered of releases that failed, after an event about just that. */
export function evolveFailures(state: ServiceState, event: FailureEvent): Partial<PastFailures> {
  switch (event.kind) {
    case 'release-blocked': {
      const others = without(state.blocks, event.block.release)
      return { blocks: [...others, event.block].slice(-BLOCKS_LIMIT) }
    }
    case 'release-unblocked':
      return { blocks: without(state.blocks, event.release) }
    case 'breaker-opened':
      return { breaker: { openedAt: event.at, rollbacks: event.rollbacks, reason: event.reason } }
    case 'breaker-closed':
      // Whoever closed it knows those: they do not count towards the next opening.
      return { breaker: null, automaticRollbacks: [] }
  }
}

/** One more attempt of this release. */
export function countAttempt({ attempts }: ServiceState, release: string): PastFailures['attempts'] {
  const count = (attempts.find((one) => one.release === release)?.count ?? 0) + 1
  return [...without(attempts, release), { release, count }].slice(-ATTEMPTS_LIMIT)
}

/** A rollback that nobody ordered is counted; one by hand is not. */
export function countRollback(
  { automaticRollbacks, rollout }: ServiceState,
  { at, outcome, reason }: EventOf<'return-started'>,
): PastFailures['automaticRollbacks'] {
  if (rollout === null || outcome !== 'rolled_back' || reason.actor.kind !== 'engine')
    return automaticRollbacks
  const { version } = rollout.plan.to
  const counted = { at, rollout: rollout.id, version, message: reason.message }
  return [...automaticRollbacks, counted].slice(-AUTOMATIC_ROLLBACKS_LIMIT)
}

/** What became stable in the end is neither blocked nor in need of another attempt. */
export const forgive = (
  { blocks, attempts }: ServiceState,
  release: string,
): Pick<PastFailures, 'blocks' | 'attempts'> => ({
  blocks: without(blocks, release),
  attempts: without(attempts, release),
})

const without = <T extends { release: string }>(items: readonly T[], release: string): T[] =>
  items.filter((item) => item.release !== release)
