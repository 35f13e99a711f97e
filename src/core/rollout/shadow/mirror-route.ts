import type { MirrorRoute } from '../../shared/mirror.ts'
import { hasActive, type RouteSet } from '../../shared/routes.ts'
import { candidateSet } from '../judging/judge-rollout.ts'
import { readyInstances } from '../routing.ts'
import type { ServiceState } from '../state.ts'
import { shadowingNow } from './shadowing.ts'

/** Copies go to a candidate that can answer, in its step and never outside of it (S40, S43). */
export function mirrorOf(state: ServiceState, routes: readonly RouteSet[]): MirrorRoute | null {
  const { rollout } = state
  const shadowing = rollout === null ? null : shadowingNow(rollout)
  if (rollout === null || shadowing === null) return null
  const { release } = rollout.plan.to
  const isReady = readyInstances(candidateSet(state)).length > 0
  const isServed = isReady && routes.some((set) => set.release === release && hasActive(set))
  return isServed ? { ...shadowing, salt: rollout.id, release } : null
}
