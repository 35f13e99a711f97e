import { routerTitle } from '../plan/router/router-fit.ts'
import type { Problem } from '../shared/problem.ts'
import type { RouterName } from '../shared/router-ability.ts'
import { due } from './due.ts'
import type { Event } from './event.ts'
import { sameShares } from './evolve-traffic.ts'
import { ENGINE, type Reason } from './reason.ts'
import { isWayBack } from './refusal.ts'
import type { RolloutState, ServiceState } from './state.ts'

/** Said by a router that another controller, or another change, was quicker: no word about the change itself. */
const ABOUT_TOKENS = ['STALE_TOKEN', 'TOKEN_REUSED']

/**
 * One of several routers refuses the shares for good, so that they would differ until somebody comes: all go back to stable
 * (S125). Nothing is said against the release, and it is not blocked. On a way back each keeps being told instead, and so
 * does one that has the shares and refuses a change of instances only.
 */
export function refusedByOne(
  state: ServiceState,
  rollout: RolloutState,
  { effect, trouble, now }: { effect: string; trouble: Problem; now: number },
): Event[] {
  const router = routerOf(state, effect)
  if (router === null || trouble.retryable || ABOUT_TOKENS.includes(trouble.code)) return []
  if (isWayBack(rollout.order) || !isBehind(state, router)) return []
  const reason: Reason = {
    code: 'ROUTERS_DIFFER',
    message: `${routerTitle(router)} refused the new shares, so all go back to stable: ${trouble.message}`,
    evidence: { router, code: trouble.code },
    actor: ENGINE,
  }
  return [{ kind: 'return-started', at: now, outcome: 'failed', reason, problem: trouble }]
}

/** Whom the effect tells; `null` where one router serves, or where it is not due any more. */
function routerOf(state: ServiceState, key: string): RouterName | null {
  if (state.traffic.also.length === 0) return null
  const found = due(state).find((one) => one.key === key)
  return found?.kind === 'set-routes' ? found.router : null
}

/** It has other shares than those that were decided. */
function isBehind({ traffic }: ServiceState, router: RouterName): boolean {
  const shown = traffic.shown.find((one) => one.router === router)?.weights ?? {}
  const wanted = traffic.routes.map(({ release, weightPermille }) => [release, weightPermille])
  return !sameShares(shown, Object.fromEntries(wanted))
}
