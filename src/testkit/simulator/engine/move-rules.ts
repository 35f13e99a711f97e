import { servingRouters } from '../../../core/rollout/router-in.ts'
import type { RouterName } from '../../../core/shared/router-ability.ts'
import type { Book } from './book.ts'

/** A router lets go of a service: only when nobody needs it any more (S131). */
export function letsGoInTime({ state, events }: Book, router: RouterName): string | null {
  // A service that is given back is served by nobody in the end.
  if (state.finalizing || servingRouters(state.traffic).includes(router)) return null
  const replaced = events.findLastIndex(
    ({ event }) => event.kind === 'routes-decided' && [event.router, ...(event.also ?? [])].includes(router),
  )
  const successor = events.findIndex(({ event }, at) => at > replaced && event.kind === 'routes-decided')
  const isConfirmed = events.slice(successor).some(({ event }) => event.kind === 'routes-confirmed')
  return isConfirmed ? null : `${router} let go before its successor was confirmed`
}
