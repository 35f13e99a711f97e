import { routerTitle } from '../../plan/router/router-fit.ts'
import type { ServiceState } from '../state.ts'
import type { SideView } from './view.ts'

/** Who sends the requests, where that is not the built-in proxy, and who has not let go of them yet. */
export function routerViews({ traffic }: Pick<ServiceState, 'traffic'>): SideView[] {
  const { router, left, sequence } = traffic
  if (sequence === 0) return []
  const serves = router === 'builtin' ? [] : [`${routerTitle(router)} sends the requests to the instances`]
  const leaving = left.map(
    (name) => `${routerTitle(name)} serves at the address of before until the new routes are confirmed`,
  )
  return [...serves, ...leaving].map((sentence) => ({ kind: 'router', sentence }))
}
