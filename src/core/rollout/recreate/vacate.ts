import { chooseLeaving } from '../batches/members.ts'
import { stableSet } from '../batches/planned.ts'
import type { Event } from '../event.ts'
import type { Reason } from '../reason.ts'
import { ENGINE } from '../reason.ts'
import { isConfirmed } from '../routing.ts'
import type { StageContext } from '../stage-context.ts'
import type { RolloutState, ServiceState, SetState } from '../state.ts'
import { done } from '../step-done.ts'
import { closing, isAlone, isClosed, isSeenSince } from './closing.ts'

/** A look takes milliseconds; this is for numbers that cannot be read. */
const COUNT_WITHIN_MS = 2000

/**
 * Everything that runs stops: the router turns everybody away and confirms it, the instances finish what they have and end.
 * The step is done when the last of them is gone and the target knows that none is wanted: what comes next may need what
 * they held. Sets that were kept for a look or for the way back go with them.
 */
export function vacate(
  state: ServiceState,
  rollout: RolloutState,
  { step, ...moment }: StageContext<'vacate'>,
): Event[] {
  const { now } = moment
  const stable = stableSet(state)
  if (stable === undefined || stable.adoption !== null)
    return done(rollout, now, 'what was taken over stays whole')
  if (!isClosed(state))
    return isCounting(rollout, moment)
      ? [closing(state, { retryAfterS: step.retryAfterS, reason: closedFor(rollout, stable), now })]
      : []
  if (!isConfirmed(state)) return []
  const beside = state.sets.find(
    ({ release, role }) => release !== stable.release && (role === 'warm' || role === 'held'),
  )
  if (beside !== undefined) return [{ kind: 'set-retiring', at: now, release: beside.release }]
  if (stable.replicas > 0) return [letGo(state, stable, now)]
  const isKnown = stable.leaving.length === 0 && stable.assertedEpoch === state.epoch
  return isKnown && isSeenSince(stable, moment) && isAlone(state, null)
    ? done(rollout, now, `nothing of ${stable.version} runs any more`)
    : []
}

/** Whoever is turned away shall be counted from the first one on; numbers that do not come hold nothing up. */
const isCounting = (
  { cursor }: RolloutState,
  { now, startedAt }: Pick<StageContext<'vacate'>, 'now' | 'startedAt'>,
) => cursor !== null || now - startedAt >= COUNT_WITHIN_MS

function letGo(state: ServiceState, set: SetState, now: number): Event {
  const { release, version, adoption } = set
  const leaving = chooseLeaving(set, 0)
  if (leaving.length > 0) return { kind: 'set-shrunk', at: now, release, replicas: 0, leaving }
  const sequence = state.sequence + 1
  return { kind: 'set-wanted', at: now, release, version, replicas: 0, adoption, role: 'stable', sequence }
}

const closedFor = ({ plan }: RolloutState, { version }: SetState): Reason => ({
  code: 'CLOSED',
  message: `nobody is served until ${plan.to.version} is ready: ${version} stops first`,
  evidence: {},
  actor: ENGINE,
})
