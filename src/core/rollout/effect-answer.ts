import type { Problem } from '../shared/problem.ts'
import type { Command } from './command.ts'
import { due } from './due.ts'
import type { Event } from './event.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import { refusedByOne } from './refused-by-one.ts'
import { isCandidateStable, runningRollout } from './rollout-position.ts'
import { isRouterPart } from './see-routers.ts'
import type { ServiceState } from './state.ts'
import { turnBack } from './turn-back.ts'

/** Troubles of effects are kept under this and the key of the effect. */
export const EFFECT_PART = 'effect '

/** Why the routes are not in force: the router does not answer, or refuses them. */
export const routerTrouble = ({ troubles }: ServiceState): Problem | null =>
  Object.entries(troubles).find(
    ([part]) => isRouterPart(part) || part.startsWith(`${EFFECT_PART}set-routes `),
  )?.[1] ?? null

/** An effect that failed is a trouble people see, once; some failures end the attempt. */
export function noteFailure(
  state: ServiceState,
  { effect, problem: trouble }: Extract<Command, { kind: 'effect-failed' }>,
  now: number,
): Event[] {
  const part = `${EFFECT_PART}${effect}`
  const isKnown = state.troubles[part]?.code === trouble.code
  const isStillDue = due(state).some(({ key }) => key === effect)
  const seen: Event[] =
    isKnown || !isStillDue ? [] : [{ kind: 'trouble-seen', at: now, part, problem: trouble }]
  return [...seen, ...hopeless(state, { effect, trouble, now })]
}

/** A candidate that can never start, a first release that can never listen, or shares that one of several routers refuses: it ends now. */
function hopeless(
  state: ServiceState,
  { effect, trouble, now }: { effect: string; trouble: Problem; now: number },
): Event[] {
  const current = runningRollout(state)
  if (
    current === null ||
    current.phase.kind !== 'running' ||
    isCandidateStable(state, current) ||
    trouble.retryable ||
    trouble.code === 'STALE_TOKEN'
  )
    return []
  const differ = refusedByOne(state, current, { effect, trouble, now })
  if (differ.length > 0) return differ
  const cannotStart =
    effect === `start-set ${current.plan.to.release}` || effect === `adopt-set ${current.plan.to.release}`
  const cannotListen = state.stable === null && trouble.code === 'LISTEN_FAILED'
  if (!cannotStart && !cannotListen) return []
  const reason: Reason = { code: trouble.code, message: trouble.message, evidence: { effect }, actor: ENGINE }
  return turnBack(state, current, { reason, problem: trouble, now })
}

/** An effect that worked ends its trouble; what the target accepted is on its way out. */
export function noteSuccess(
  state: ServiceState,
  { effect, epoch }: Extract<Command, { kind: 'effect-succeeded' }>,
  now: number,
): Event[] {
  const over: Event[] =
    state.troubles[`${EFFECT_PART}${effect}`] === undefined
      ? []
      : [{ kind: 'trouble-over', at: now, part: `${EFFECT_PART}${effect}` }]
  const [kind, release] = effect.split(' ')
  const set = state.sets.find((one) => one.release === release)
  const letGo =
    (kind === 'stop-set' || kind === 'release-set') &&
    set !== undefined &&
    set.stage !== 'wanted' &&
    !set.letGoAccepted
  if (letGo) return [...over, { kind: 'let-go-accepted', at: now, release: set.release }]
  const isNewEpoch =
    (kind === 'start-set' || kind === 'adopt-set') && set !== undefined && set.assertedEpoch !== state.epoch
  if (isNewEpoch && epoch === state.epoch)
    return [...over, { kind: 'set-asserted', at: now, release: set.release, epoch }]
  return kind === 'finalize' ? [...over, ...leaving(state, release, now)] : over
}

/** The router that serves lets go last, and only when the service ends. */
function leaving({ traffic, finalizing }: ServiceState, router: string | undefined, now: number): Event[] {
  const left = traffic.left.find((one) => one === router)
  if (left !== undefined) return [{ kind: 'router-left', at: now, router: left }]
  return finalizing && router === traffic.router ? [{ kind: 'service-finalized', at: now }] : []
}

/** An effect that is not due any more cannot work again: its trouble goes with it. */
export function forgetOldTroubles(state: ServiceState, now: number): Event[] {
  const parts = Object.keys(state.troubles).filter((part) => part.startsWith(EFFECT_PART))
  if (parts.length === 0) return []
  const keys = new Set(due(state).map(({ key }) => `${EFFECT_PART}${key}`))
  return parts.filter((part) => !keys.has(part)).map((part) => ({ kind: 'trouble-over', at: now, part }))
}
