import type { RouterState } from '../shared/router-state.ts'
import { formatWeight } from '../shared/weight.ts'
import { decidedRoutes } from './decided-routes.ts'
import type { Event } from './event.ts'
import { recentSightings, sameShares } from './evolve-traffic.ts'
import { isDriftHeld } from './hold.ts'
import type { Reason } from './reason.ts'
import { isClosed } from './recreate/closing.ts'
import { isWayBack } from './refusal.ts'
import { isCandidateStable } from './rollout-position.ts'
import { shadowingOf } from './shadow/shadowing.ts'
import type { ServiceState } from './state.ts'

/** The same foreign weights this often are no slip of a hand: another tool sets them, and answering would flap the traffic. */
const FIGHT_TIMES = 3

type Weights = Record<string, number>

/** Compares the routes in force with the decided ones: confirmed, still on their way, or changed by somebody else. */
export function seeRoutes(state: ServiceState, seen: RouterState, now: number): Event[] {
  const { traffic, epoch } = state
  if (traffic.sequence === 0) return []
  const weights = weightsIn(seen)
  if (isDriftHeld(state) && seen.token !== null) return stillForeign(state, { seen, weights, now })
  const wanted = Object.fromEntries(
    traffic.routes.map(({ release, weightPermille }) => [release, weightPermille]),
  )
  const ours = seen.token?.epoch === epoch && seen.token.sequence === traffic.sequence
  const wasConfirmed = traffic.confirmed?.sequence === traffic.sequence && traffic.confirmed.epoch === epoch
  // A drift leaves nothing confirmed, so the same revert is not answered twice while the new routes are on their way. Once
  // they are there and are returned in their turn, the router takes them for a repeat: newer ones are needed again.
  if (seen.reverted !== null && (traffic.confirmed !== null || ours))
    return [
      drifted({ observed: weights, cause: 'reverted', at: now }),
      ...reassert(state, highestSeen(state, seen), now),
      ...reopen(state, lostController(seen), now),
    ]
  if (ours && sameShares(weights, wanted) && isAsClosed(state, seen))
    return wasConfirmed
      ? []
      : [{ kind: 'routes-confirmed', at: now, sequence: traffic.sequence, epoch, weights }]
  // Nothing of ours can be ahead of what was decided: somebody else wrote it.
  const isAhead = seen.token?.epoch === epoch && seen.token.sequence > traffic.sequence
  const isForeign =
    isDriftHeld(state) || wasConfirmed || ours || isAhead || isEditedMeanwhile(state, seen, weights)
  if (seen.reverted !== null || !isForeign) return []
  if (seen.token === null)
    return [
      drifted({ observed: weights, cause: 'lost', at: now }),
      ...reassert(state, highestSeen(state, seen), now),
    ]
  return answerForeign(state, { seen, weights, now })
}

const isAsClosed = ({ traffic }: ServiceState, seen: RouterState): boolean =>
  (seen.closed?.retryAfterS ?? null) === (traffic.side.closed?.retryAfterS ?? null)

/** What the owner before had confirmed has other weights now: they were changed while nobody looked. */
function isEditedMeanwhile({ traffic }: ServiceState, { token }: RouterState, weights: Weights): boolean {
  const { confirmed, sequence } = traffic
  return (
    confirmed !== null &&
    confirmed.sequence === sequence &&
    token?.epoch === confirmed.epoch &&
    token.sequence === sequence &&
    !sameShares(weights, confirmed.weights)
  )
}

type Foreign = { seen: RouterState; weights: Weights; now: number }

/** Set right at once, or left alone: because the settings say so, or because somebody sets them again and again. */
function answerForeign(state: ServiceState, { seen, weights, now }: Foreign): Event[] {
  const times = recentSightings(state, weights, now).length + 1
  // Who opens what is closed sends users to what stops.
  const held = !isGoingBack(state) && !isClosed(state) && (policyOf(state) === 'hold' || times >= FIGHT_TIMES)
  const above = highestSeen(state, seen)
  const event = drifted({ observed: weights, cause: 'edited', at: now, held, times, above })
  return held ? [event] : [event, ...reassert(state, above, now)]
}

/** Foreign weights that are left alone may change once more; nothing else about them is news. */
function stillForeign(state: ServiceState, { seen, weights, now }: Foreign): Event[] {
  const above = highestSeen(state, seen)
  if (sameShares(weights, state.drift?.observed ?? {})) return []
  return [drifted({ observed: weights, cause: 'edited', at: now, held: true, above })]
}

const drifted = (what: {
  observed: Weights
  cause: 'edited' | 'lost' | 'reverted'
  at: number
  held?: boolean
  times?: number
  above?: number
}): Event => ({ kind: 'routes-drifted', held: false, times: 1, above: 0, ...what })

/** Traffic on its way to stable is never left where somebody else put it. */
const isGoingBack = ({ rollout }: ServiceState): boolean =>
  rollout?.phase.kind === 'returning' || (rollout?.phase.kind === 'running' && isWayBack(rollout.order))

const policyOf = ({ rollout, settings }: ServiceState): 'correct' | 'hold' =>
  (rollout?.phase.kind === 'running' ? rollout.settings : settings)?.drift ?? 'correct'

const highestSeen = ({ epoch, sequence }: ServiceState, { token }: RouterState): number =>
  Math.max(sequence, token?.epoch === epoch ? token.sequence : 0)

/** The routes that hold now, under a token above all that the router has seen: an equal one would count as a repeat, a lower one as stale. */
const reassert = (state: ServiceState, above: number, now: number): Event[] => [
  { kind: 'routes-decided', at: now, ...decidedRoutes(state), sequence: above + 1 },
]

/** Foreign weights are left alone no longer: ours are set again, and what was seen at theirs does not count for the stage. */
export function settleDrift(state: ServiceState, reason: Reason, now: number): Event[] {
  const { drift } = state
  if (drift === null) return []
  const above = Math.max(state.sequence, drift.above)
  return [
    { kind: 'drift-settled', at: now, reason },
    ...reassert(state, above, now),
    ...reopen(state, reason, now),
  ]
}

/** `1.0.0 10%, 1.1.0 90% instead of 1.0.0 95%, 1.1.0 5%`. */
export function driftText(state: ServiceState): string {
  const nameOf = (release: string): string =>
    state.sets.find((set) => set.release === release)?.version ?? release
  const text = (weights: Weights): string =>
    Object.entries(weights)
      .map(([release, weight]) => `${nameOf(release)} ${formatWeight(weight)}`)
      .join(', ') || 'nothing'
  return `${text(state.drift?.observed ?? {})} instead of ${text(state.traffic.weights)}`
}

/** The stage is taken again from its weight. */
function reopen(state: ServiceState, reason: Reason, now: number): Event[] {
  const { rollout } = state
  if (rollout === null || rollout.phase.kind !== 'running' || rollout.plan.kind !== 'deploy') return []
  if (isCandidateStable(state, rollout)) return []
  const index = rollout.plan.steps.findLastIndex(
    ({ step }, at) => (step.kind === 'traffic' || shadowingOf(step) !== null) && at <= rollout.stepIndex,
  )
  return index < 0 ? [] : [{ kind: 'step-reopened', at: now, index, reason }]
}

const lostController = ({ reverted }: RouterState): Reason => ({
  code: 'CONTROLLER_LOST',
  message:
    'no controller spoke to the data plane, so it returned traffic to stable; the stage is taken again',
  evidence: { reverted },
  actor: { kind: 'data-plane', name: 'proxy' },
})

const weightsIn = (seen: RouterState): Weights =>
  Object.fromEntries(seen.sets.map(({ release, weightPermille }) => [release, weightPermille]))
