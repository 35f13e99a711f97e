import { routerTitle } from '../../plan/router/router-fit.ts'
import { formatDuration } from '../../shared/duration.ts'
import { longestDrainMs } from '../drains.ts'
import type { FormerRouter } from '../former-router.ts'
import type { ServiceState } from '../state.ts'
import { severalRouters } from './several-routers.ts'
import type { SideView } from './view.ts'

/** Who sends the requests, where that is not the built-in proxy, and who served before and is not done yet. */
export function routerViews(
  state: Pick<ServiceState, 'traffic' | 'rollout' | 'settings' | 'sets' | 'troubles'>,
): SideView[] {
  const { router, also, left, former, sequence } = state.traffic
  if (sequence === 0) return []
  const alone = router === 'builtin' ? [] : [`${routerTitle(router)} sends the requests to the instances`]
  const serves = also.length === 0 ? alone : severalRouters(state)
  const leaving = left.map(
    (name) => `${routerTitle(name)} serves at the address of before until the new routes are confirmed`,
  )
  const atMost = formatDuration(longestDrainMs(state))
  const finishing = former
    .filter((one) => !left.includes(one.router))
    .map((one) => `${finishingText(one)} for ${atMost} at most`)
  return [...serves, ...leaving, ...finishing].map((sentence) => ({ kind: 'router', sentence }))
}

function finishingText({ router, busy }: FormerRouter): string {
  const who = `${routerTitle(router)}, which served before,`
  if (busy === null) return `${who} may still have requests: no instance is stopped before it answers,`
  const where = busy.length === 1 ? 'an instance, which is' : `${busy.length} instances, which are`
  return `${who} finishes requests at ${where} not stopped before,`
}
