import type { RouterState } from '../../shared/router-state.ts'
import type { ServiceState } from '../state.ts'
import type { SideView } from './view.ts'

/** What the service takes at most, and how many requests were turned away because of it. */
export function limitViews(
  { rollout, settings }: ServiceState,
  limited: RouterState['limited'] | undefined,
): SideView[] {
  const inForce = rollout?.phase.kind === 'running' ? rollout.settings : settings
  const { requests, rate } = inForce?.limits ?? {}
  const parts = [
    ...(requests === undefined ? [] : [`${requests} requests at the same time`]),
    ...(rate === undefined ? [] : [`${rate.perSecond} a second`]),
  ]
  if (parts.length === 0) return []
  const away = limited === undefined ? 0 : limited.requests + limited.rate
  const told =
    away === 0 ? '' : `; ${away} ${away === 1 ? 'was' : 'were'} turned away since the proxy was started`
  return [{ kind: 'limits', sentence: `at most ${parts.join(' and ')}${told}` }]
}
