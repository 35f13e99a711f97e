import type { Step } from '../plan/plan.ts'
import { type LocalPlace, type LocalWay, localPlace, localUrl } from '../shared/local-url.ts'
import {
  checksAt,
  hasPassed,
  reportText,
  type VerifyCheck,
  type VerifyMoment,
  type VerifyReport,
} from '../shared/verification.ts'
import type { Command } from './command.ts'
import type { Event, EventOf } from './event.ts'
import { isHeld } from './hold.ts'
import { candidateSet } from './judging/judge-rollout.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import { neededReady, runningRollout } from './rollout-position.ts'
import { readyInstances } from './routing.ts'
import type { StageContext } from './stage-context.ts'
import type { RolloutState, ServiceState } from './state.ts'
import { done } from './step-done.ts'
import { failCandidate, turnBack } from './turn-back.ts'

type VerifyStep = Extract<Step, { kind: 'verify' }>

/** Waits for the report of its checks. One that failed sends the candidate back, before it has had any traffic or after. */
export function verify(
  state: ServiceState,
  rollout: RolloutState,
  { step, now }: StageContext<'verify'>,
): Event[] {
  const found = reportOf(rollout)
  if (found === null) return []
  if (!hasPassed(found)) {
    const reason = failureOf(rollout, step, found)
    if (step.moment === 'before') return turnBack(state, rollout, { reason, problem: null, now })
    return failCandidate(state, rollout, reason, now) ?? []
  }
  // What was verified must still be there (S33).
  const set = candidateSet(state)
  if (readyInstances(set).length < neededReady(rollout, set?.replicas)) return []
  return done(rollout, now, `verified: ${reportText(found)}`)
}

function failureOf({ plan }: RolloutState, { moment }: VerifyStep, report: VerifyReport): Reason {
  const when = moment === 'before' ? 'before it had traffic' : 'with all traffic'
  return {
    code: 'VERIFY_FAILED',
    message: `${plan.to.version} was verified ${when}: ${reportText(report)}`,
    evidence: { moment, url: report.url, results: report.results },
    actor: ENGINE,
  }
}

const reportOf = ({ verified, stepIndex }: RolloutState): VerifyReport | null =>
  verified.find(({ index }) => index === stepIndex)?.report ?? null

/** Checks that have to be made, for which step of which rollout, and where. */
export type ChecksDue = {
  rollout: string
  index: number
  moment: VerifyMoment
  url: string
  way?: LocalWay
  version: string
  release: string
  checks: VerifyCheck[]
}

/** The checks of the present step, while there is no report and something to verify. */
export function checksDue(state: ServiceState): ChecksDue | null {
  const rollout = runningRollout(state)
  const step = rollout?.plan.steps[rollout.stepIndex]?.step
  if (rollout === null || step?.kind !== 'verify' || rollout.phase.kind !== 'running') return null
  const { id, stepIndex: index, settings, plan, steps } = rollout
  const isBegun = (steps[index]?.startedAt ?? null) !== null
  if (!isBegun || isHeld(state, rollout) || reportOf(rollout) !== null) return null
  const { listen } = settings
  const place = step.moment === 'before' ? instancePlace(state) : listen && localPlace(listen, settings)
  if (place === null) return null
  const { version, release } = plan.to
  const checks = checksAt(settings.verify, step.moment)
  return { rollout: id, index, moment: step.moment, ...place, version, release, checks }
}

/** Before it has traffic the candidate is asked itself. */
function instancePlace(state: ServiceState): LocalPlace | null {
  const [first] = readyInstances(candidateSet(state))
  return first === undefined ? null : { url: localUrl(first) }
}

/** A report of a step that is over, or of another controller, says nothing any more. */
export function noteVerified(
  state: ServiceState,
  { rollout: of, index, underEpoch, report }: Extract<Command, { kind: 'verified' }>,
  now: number,
): Event[] {
  const rollout = runningRollout(state)
  const isAsked =
    rollout?.id === of &&
    underEpoch === state.epoch &&
    rollout.stepIndex === index &&
    rollout.plan.steps[index]?.step.kind === 'verify' &&
    rollout.phase.kind === 'running' &&
    reportOf(rollout) === null
  return isAsked ? [{ kind: 'verified', at: now, index, report }] : []
}

export const evolveVerified = (
  rollout: RolloutState,
  { at, index, report }: EventOf<'verified'>,
): RolloutState => ({ ...rollout, verified: [...rollout.verified, { index, at, report }] })

/** A step that begins (again) is verified anew. */
export const withoutReports = ({ verified }: RolloutState, from: number): RolloutState['verified'] =>
  verified.filter(({ index }) => index < from)
