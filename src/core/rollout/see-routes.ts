import type { RouterName } from '../shared/router-ability.ts'
import type { RouterState } from '../shared/router-state.ts'
import { formatWeight } from '../shared/weight.ts'
import { areRoutesDecided, decidedRoutes } from './decided-routes.ts'
import type { Event, EventOf } from './event.ts'
import { recentSightings, sameShares } from './evolve-traffic.ts'
import { isDriftHeld } from './hold.ts'
import type { Reason } from './reason.ts'
import { isClosed } from './recreate/closing.ts'
import { isWayBack } from './refusal.ts'
import { isCandidateStable } from './rollout-position.ts'
import { servingRouters, toldTo } from './router-in.ts'
import { shadowingOf } from './shadow/shadowing.ts'
import type { ServiceState, ShownRoutes } from './state.ts'

/** The same foreign weights this often are no slip of a hand: another tool sets them, and answering would flap the traffic. */
const FIGHT_TIMES = 3

type Weights = Record<string, number>

/** What one router showed at a look. */
export type RouterLook = { router: RouterName; seen: RouterState }

/**
 * Compares the routes in force with the decided ones: confirmed, still on their way, or changed by somebody else. Of several
 * routers all must show them at the same look.
 */
export function seeRoutes(state: ServiceState, looks: readonly RouterLook[], now: number): Event[] {
  const { traffic, epoch } = state
  const { sequence } = traffic
  const [first] = looks
  if (sequence === 0 || first === undefined) return []
  for (const look of looks) {
    const foreign = seeForeign(state, look, now)
    if (foreign.length > 0) return foreign
  }
  const took = looks.filter((look) => isAsDecided(state, look))
  if (isDriftHeld(state) || took.length < servingRouters(traffic).length) return seeShown(state, looks, now)
  const isKnown = traffic.confirmed?.sequence === sequence && traffic.confirmed.epoch === epoch
  return isKnown
    ? []
    : [{ kind: 'routes-confirmed', at: now, sequence, epoch, weights: weightsIn(first.seen) }]
}

/** Not ours, or ours no more. */
function seeForeign(state: ServiceState, look: RouterLook, now: number): Event[] {
  const { traffic, epoch } = state
  const { router, seen } = look
  const foreign = { ...look, weights: weightsIn(seen), now }
  const isHeld = isDriftHeld(state) && isDriftOf(state, router)
  if (isHeld && seen.token !== null) return stillForeign(state, foreign)
  // What else is not ours is set right with what is left alone now.
  if (isDriftHeld(state) && !isHeld) return []
  const ours = isOurs(state, look)
  // A drift leaves nothing confirmed, so the same revert is not answered twice while the new routes are on their way. Once
  // they are there and are returned in their turn, the router takes them for a repeat: newer ones are needed again.
  if (seen.reverted !== null && (traffic.confirmed !== null || ours))
    return [
      drifted(state, foreign, { cause: 'reverted' }),
      ...reassertAt(state, look, now),
      ...reopen(state, lostController(seen), now),
    ]
  if (isAsDecided(state, look)) return []
  // Nothing of ours can be ahead of what was decided: somebody else wrote it.
  const isAhead = seen.token?.epoch === epoch && seen.token.sequence > toldTo(traffic, router)
  const isForeign = isHeld || hadTaken(state, router) || ours || isAhead || isEditedMeanwhile(state, foreign)
  if (seen.reverted !== null || !isForeign) return []
  if (seen.token === null)
    return [drifted(state, foreign, { cause: 'lost' }), ...reassertAt(state, look, now)]
  return answerForeign(state, foreign)
}

const isOurs = ({ traffic, epoch }: ServiceState, { router, seen }: RouterLook): boolean =>
  seen.token?.epoch === epoch && seen.token.sequence === toldTo(traffic, router)

/** It has the decided routes, under their token. */
function isAsDecided(state: ServiceState, look: RouterLook): boolean {
  const wanted = Object.fromEntries(
    state.traffic.routes.map(({ release, weightPermille }) => [release, weightPermille]),
  )
  return isOurs(state, look) && sameShares(weightsIn(look.seen), wanted) && isAsClosed(state, look.seen)
}

/** The owner has read the present routes there. */
function hadTaken({ traffic, epoch }: ServiceState, router: RouterName): boolean {
  const { confirmed, sequence, shown } = traffic
  if (confirmed?.sequence === sequence && confirmed.epoch === epoch) return true
  return shown.some((one) => one.router === router && one.took)
}

/** Of several routers not all show what was decided: who shows what is kept, for people and for what is still to be done. */
function seeShown({ traffic, ...state }: ServiceState, looks: readonly RouterLook[], now: number): Event[] {
  if (traffic.also.length === 0) return []
  const shown = servingRouters(traffic).flatMap((router): ShownRoutes[] => {
    const look = looks.find((one) => one.router === router)
    return look === undefined
      ? traffic.shown.filter((one) => one.router === router)
      : [{ router, weights: weightsIn(look.seen), took: isAsDecided({ ...state, traffic }, look) }]
  })
  const isKnown =
    shown.length === traffic.shown.length &&
    shown.every(({ weights, took }, index) => {
      const before = traffic.shown[index]
      return before?.took === took && sameShares(before.weights, weights)
    })
  return isKnown ? [] : [{ kind: 'routes-shown', at: now, shown }]
}

const isAsClosed = ({ traffic }: ServiceState, seen: RouterState): boolean =>
  (seen.closed?.retryAfterS ?? null) === (traffic.side.closed?.retryAfterS ?? null)

/** What the owner before had confirmed has other weights now: they were changed while nobody looked. */
function isEditedMeanwhile({ traffic }: ServiceState, { router, seen, weights }: Foreign): boolean {
  const { confirmed, sequence } = traffic
  return (
    confirmed !== null &&
    confirmed.sequence === sequence &&
    seen.token?.epoch === confirmed.epoch &&
    seen.token.sequence === toldTo(traffic, router) &&
    !sameShares(weights, confirmed.weights)
  )
}

type Foreign = RouterLook & { weights: Weights; now: number }

/** Set right at once, or left alone: because the settings say so, or because somebody sets them again and again. */
function answerForeign(state: ServiceState, foreign: Foreign): Event[] {
  const { weights, now } = foreign
  const times = recentSightings(state, { ...whereOf(state, foreign), observed: weights }, now).length + 1
  // Who opens what is closed sends users to what stops.
  const held = !isGoingBack(state) && !isClosed(state) && (policyOf(state) === 'hold' || times >= FIGHT_TIMES)
  const above = highestSeen(state, foreign.seen)
  const event = drifted(state, foreign, { cause: 'edited', held, times, above })
  return held ? [event] : [event, ...reassertAt(state, foreign, now)]
}

/** Foreign weights that are left alone may change once more; nothing else about them is news. */
function stillForeign(state: ServiceState, foreign: Foreign): Event[] {
  const above = highestSeen(state, foreign.seen)
  if (sameShares(foreign.weights, state.drift?.observed ?? {})) return []
  return [drifted(state, foreign, { cause: 'edited', held: true, above })]
}

const drifted = (
  state: ServiceState,
  foreign: Foreign,
  what: { cause: 'edited' | 'lost' | 'reverted'; held?: boolean; times?: number; above?: number },
): Event => ({
  kind: 'routes-drifted',
  at: foreign.now,
  ...whereOf(state, foreign),
  observed: foreign.weights,
  held: false,
  times: 1,
  above: 0,
  ...what,
})

/** Said where there are several. */
const whereOf = ({ traffic }: ServiceState, { router }: RouterLook): { router?: RouterName } =>
  traffic.also.length === 0 ? {} : { router }

const isDriftOf = ({ drift, traffic }: ServiceState, router: RouterName): boolean =>
  (drift?.router ?? traffic.router) === router

/** Traffic on its way to stable is never left where somebody else put it. */
const isGoingBack = ({ rollout }: ServiceState): boolean =>
  rollout?.phase.kind === 'returning' || (rollout?.phase.kind === 'running' && isWayBack(rollout.order))

const policyOf = ({ rollout, settings }: ServiceState): 'correct' | 'hold' =>
  (rollout?.phase.kind === 'running' ? rollout.settings : settings)?.drift ?? 'correct'

const highestSeen = ({ epoch, sequence }: ServiceState, { token }: RouterState): number =>
  Math.max(sequence, token?.epoch === epoch ? token.sequence : 0)

/** The routes that hold now, under a token above all that the router has seen: an equal one would count as a repeat, a lower one as stale. */
const reassert = (state: ServiceState, above: number, now: number): EventOf<'routes-decided'>[] => [
  { kind: 'routes-decided', at: now, ...decidedRoutes(state), sequence: above + 1 },
]

/** Where the others have these routes already they are not told again. */
const reassertAt = (state: ServiceState, { router, seen }: RouterLook, now: number): Event[] => {
  const isAlone = state.traffic.also.length > 0 && areRoutesDecided(state)
  return reassert(state, highestSeen(state, seen), now).map((event) =>
    isAlone ? { ...event, only: router } : event,
  )
}

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
