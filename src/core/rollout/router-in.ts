import type { RouterName } from '../shared/router-ability.ts'
import type { ServiceState } from './state.ts'

/** Who serves by the settings that hold now: those of the rollout while it is on its way, like its listen address. */
export const routerIn = ({ rollout, settings }: Pick<ServiceState, 'rollout' | 'settings'>): RouterName =>
  (rollout?.phase.kind === 'running' ? rollout.settings : settings)?.router ?? 'builtin'

/**
 * Routers that served before and still have something of the service. They let go once the one that serves now has
 * confirmed its routes (S131), so that at no moment nobody serves.
 */
export const routersToLeave = ({ traffic, epoch }: ServiceState): readonly RouterName[] => {
  const { left, confirmed, sequence } = traffic
  return confirmed?.sequence === sequence && confirmed.epoch === epoch ? left : []
}
