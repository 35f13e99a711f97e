import type { Plan } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import { nextOpening } from '../release/window.ts'
import type { WaitingOn } from './reason.ts'
import { isWayBack } from './refusal.ts'
import { runningRollout } from './rollout-position.ts'
import type { Order, QueuedRollout, ServiceState } from './state.ts'

/** As much of a rollout as decides when it may begin. */
export type Beginning = {
  plan: Pick<Plan, 'kind' | 'to' | 'environment'>
  settings: Pick<ServiceSettings, 'windows'>
  order: Order
  notBefore: number | null
}

/** What keeps a rollout from beginning: its time, a freeze, the hours. Nothing ever keeps one that goes back. */
export function holdsBegin(state: ServiceState, next: Beginning, now: number): WaitingOn | null {
  const { plan, notBefore, settings } = next
  if (notBefore !== null && now < notBefore) {
    const message = `it is to begin at ${utc(notBefore)}`
    return { kind: 'schedule', who: 'the clock', until: notBefore, message }
  }
  if (isWayBack(next.order)) return null
  const { freeze } = state
  if (freeze !== null) {
    const message = `${plan.environment} is frozen by ${freeze.who}: ${freeze.reason}`
    return { kind: 'freeze', who: freeze.who, until: freeze.until, message }
  }
  const opening = nextOpening(settings.windows, now)
  if (opening === now) return null
  const message = `outside of the windows of ${plan.environment}${opening === null ? '' : `; the next one opens at ${utc(opening)}`}`
  return { kind: 'window', who: 'the clock', until: opening, message }
}

/** What a release that waits for its turn waits for. */
export function queuedWaitingOn(state: ServiceState, queued: QueuedRollout, now: number): WaitingOn {
  const held = holdsBegin(state, queued, now)
  if (held !== null) return held
  const who = runningRollout(state)?.plan.to.version ?? 'the controller'
  return { kind: 'rollout', who, until: null, message: `${who} comes to its end first` }
}

/** `2026-11-23 08:00 UTC`: the same for everybody who reads it. */
const utc = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
