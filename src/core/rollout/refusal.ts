import type { Problem } from '../shared/problem.ts'
import { problem } from '../shared/problem.ts'
import type { Block } from './block.ts'
import { rollbacksText } from './breaker.ts'
import type { Order, ServiceState } from './state.ts'

type Wanted = { release: string; order: Order }

/** Why this release may not be brought here at this moment after what failed before, or `null`. */
export function refusalOf(state: ServiceState, { release, order }: Wanted, now: number): Problem | null {
  if (state.breaker !== null && !isWayBack(order)) return breakerOpen(state, now)
  const block = state.blocks.find((one) => one.release === release)
  if (block === undefined || order === 'retry' || order === 'forced-rollback') return null
  return releaseBlocked(block, { where: state.stream, isWayBack: isWayBack(order) })
}

/** Nothing that protects users may stand in the way back. */
export const isWayBack = (order: Order): boolean => order === 'rollback' || order === 'forced-rollback'

/** One sentence on an open breaker: when each rollback happened and why. */
export const breakerText = ({ stream, breaker }: ServiceState, now: number): string | null =>
  breaker === null
    ? null
    : `The circuit breaker of ${stream} is open after ${breaker.rollbacks.length} automatic ${breaker.rollbacks.length === 1 ? 'rollback' : 'rollbacks'}: ${rollbacksText(breaker.rollbacks, now)}.`

const breakerOpen = (state: ServiceState, now: number): Problem =>
  problem('BREAKER_OPEN', {
    message: breakerText(state, now) ?? '',
    remedy:
      'Find out why, then: sluice breaker close --reason TEXT. Rollback and abort are possible all the time.',
  })

/** `where` is the stream in which the release failed or was blocked. */
export function releaseBlocked(
  { version, release, rollout, reason }: Block,
  { where, isWayBack }: { where: string; isWayBack: boolean },
): Problem {
  const by = rollout === null ? '' : ` (${rollout})`
  return problem('RELEASE_BLOCKED', {
    message: `${version} (${release}) is blocked in ${where}: ${reason.message}${by}.`,
    remedy: isWayBack
      ? 'Go back to another one with --to, or to this one all the same with --force --reason TEXT.'
      : `Deploy a version that mends it. To try this one again as it is: sluice deploy ${version} --retry. To lift the block: sluice release unblock ${version} --reason TEXT.`,
  })
}
