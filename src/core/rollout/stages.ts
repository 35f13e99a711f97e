import { evidenceNow } from '../analysis/judge.ts'
import { isWorker, shareText } from '../release/worker.ts'
import { formatDuration } from '../shared/duration.ts'
import { readyWithinMs } from '../shared/set-spec.ts'
import { formatWeight, TOTAL_PERMILLE } from '../shared/weight.ts'
import { isBatched, plannedCandidate, plannedStable, stableSet } from './batches/planned.ts'
import { reverse } from './batches/reverse.ts'
import { shrinkStable } from './batches/shrink.ts'
import { checklistOf } from './completion.ts'
import type { Event } from './event.ts'
import { candidateSet, checksWithState, isShownFine } from './judging/judge-rollout.ts'
import { bindingCriteria, failedLooks, hasPassedOften } from './judging/stage-criteria.ts'
import { ignoredText, lackingMetrics } from './metrics/metric-lack.ts'
import { neverReady, provision } from './provision.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import { vacate } from './recreate/vacate.ts'
import { hasFreshNumbers, isCandidateStable, neededReady } from './rollout-position.ts'
import { isInForce, readyInstances } from './routing.ts'
import { isDrained, isServing } from './set-upkeep.ts'
import type { StageContext } from './stage-context.ts'
import type { RolloutState, ServiceState, SetState } from './state.ts'
import { done } from './step-done.ts'
import { verify } from './verifying.ts'

/** What the present step does next; nothing while it waits. */
export function continueStep(state: ServiceState, rollout: RolloutState, context: StageContext): Event[] {
  const { step, ...moment } = context
  switch (step.kind) {
    case 'provision':
      return provision(state, rollout, { step, ...moment })
    case 'verify':
      return verify(state, rollout, { step, ...moment })
    case 'vacate':
      return vacate(state, rollout, { step, ...moment })
    case 'gate':
      return gate(state, rollout, { step, ...moment })
    case 'shrink':
      return shrinkStable(state, rollout, { step, ...moment })
    case 'traffic':
      return shiftTraffic(state, rollout, { step, ...moment })
    case 'observe':
      return observe(state, rollout, { step, ...moment })
    case 'watch':
      return watch(rollout, { step, ...moment })
    case 'promote':
      return promote(state, rollout, moment.now)
    case 'drain':
      return drainOld(state, rollout, moment.now)
    case 'retire':
      return retireOld(state, rollout, moment.now)
    case 'keep':
      return keepOld(state, rollout, { step, ...moment })
  }
}

/** Time alone does not open it: what people looked at must still be there. */
function gate(
  state: ServiceState,
  rollout: RolloutState,
  { step, startedAt, now, looked }: StageContext<'gate'>,
): Event[] {
  if (step.durationMs === null || !looked || now - startedAt < step.durationMs) return []
  const set = candidateSet(state)
  if (readyInstances(set).length < neededReady(rollout, set?.replicas)) return []
  return done(rollout, now, `nobody stopped it within ${formatDuration(step.durationMs)}`)
}

function shiftTraffic(
  state: ServiceState,
  rollout: RolloutState,
  { step, startedAt, now, looked }: StageContext<'traffic'>,
): Event[] {
  const { release, version } = rollout.plan.to
  const weight = formatWeight(step.weightPermille)
  const wanted = weightsFor(state, rollout, step.weightPermille)
  const back = stepBack(state, rollout, now)
  if (back !== null) return back
  if (!sameWeights(state.traffic.weights, wanted)) {
    const set = candidateSet(state)
    const ready = readyInstances(set).length
    if (ready < neededReady(rollout)) {
      const overdue = looked && now - startedAt - rollout.heldMs >= readyWithinMs(rollout.settings.health)
      return overdue && set !== undefined ? neverReady(state, rollout, { set, ready, now }) : []
    }
    const reason: Reason = {
      code: 'STEP',
      message: `${version} gets ${weight} ${shareText(rollout.settings)}`,
      evidence: { weightPermille: step.weightPermille },
      actor: ENGINE,
    }
    return [{ kind: 'weights-decided', at: now, weights: wanted, reason }]
  }
  if (!isInForce(state, release)) return []
  return done(
    rollout,
    now,
    isWorker(rollout.settings)
      ? `${version} has ${weight} of the instances as the others leave`
      : `the router confirmed ${weight} for ${version}`,
  )
}

/** Somebody went back to an earlier batch: stable grows first, as on every way back; `null` when it is as this step has it. */
function stepBack(state: ServiceState, rollout: RolloutState, now: number): Event[] | null {
  const { plan, stepIndex } = rollout
  const set = stableSet(state)
  if (!isBatched(plan) || set === undefined || set.adoption !== null) return null
  const step = plan.steps[stepIndex]?.step
  const weightPermille = step?.kind === 'traffic' ? step.weightPermille : 0
  const candidate = plannedCandidate(rollout)
  const isLower = (state.traffic.weights[plan.to.release] ?? 0) > weightPermille
  const isLarger = (candidateSet(state)?.replicas ?? 0) > candidate
  if (!isLower && !isLarger) return null
  const stableNeeded = plannedStable(state, rollout) ?? state.settings?.run.replicas ?? set.replicas
  return reverse(state, rollout, { candidate, weightPermille, stableNeeded, reason: rollout.reason, now })
}

function weightsFor(
  state: ServiceState,
  rollout: RolloutState,
  weightPermille: number,
): Record<string, number> {
  const others = Object.fromEntries(
    state.sets.filter((set) => set.release in state.traffic.weights).map((set) => [set.release, 0]),
  )
  const { release } = rollout.plan.to
  const stable = state.stable?.release
  if (stable === undefined || stable === release) return { ...others, [release]: TOTAL_PERMILLE }
  return { ...others, [stable]: TOTAL_PERMILLE - weightPermille, [release]: weightPermille }
}

const sameWeights = (a: Record<string, number>, b: Record<string, number>): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every(
    (release) => (a[release] ?? 0) === (b[release] ?? 0),
  )

function observe(state: ServiceState, rollout: RolloutState, context: StageContext<'observe'>): Event[] {
  const finished = finishStage(state, rollout, context)
  return finished.length > 0 ? finished : pauseUndecided(rollout, context)
}

/** A stage that nobody and nothing decides must not wait unseen; said once. */
function pauseUndecided(rollout: RolloutState, { now, looked }: StageContext<'observe'>): Event[] {
  const name = stageName(rollout)
  if (!looked || rollout.acknowledged.includes(name)) return []
  const reason = undecidedReason(rollout, now)
  return reason === null ? [] : [{ kind: 'rollout-paused', at: now, reason, checks: [name] }]
}

const stageName = ({ stepIndex }: RolloutState): string => `stage ${stepIndex + 1}`

/** Why the present stage is not to wait any longer; `null` while it may, and in every other step. */
export function undecidedReason(rollout: RolloutState, now: number): Reason | null {
  const step = rollout.plan.steps[rollout.stepIndex]?.step
  const startedAt = rollout.steps[rollout.stepIndex]?.startedAt ?? null
  if (step?.kind !== 'observe' || startedAt === null) return null
  const lasted = now - startedAt - rollout.heldMs
  const unmet = bindingCriteria(rollout).find(({ met }) => met !== true)
  const failures = failedLooks(rollout)
  if (failures !== null && unmet !== undefined) {
    const looks = failures === 1 ? 'one look' : `${failures} looks in a row`
    const message = `after the time of the stage its criteria were not met at ${looks}: ${unmet.sentence}`
    const evidence = { failures, criterion: unmet.name }
    return { code: 'STAGE_CRITERIA_NOT_MET', message, evidence, actor: ENGINE }
  }
  if (step.atMostMs === undefined || lasted < step.atMostMs) return null
  const [lack] = lackingMetrics(rollout, now)
  const why = unmet?.sentence ?? lack?.text ?? 'there are no fresh numbers'
  return {
    code: 'STAGE_UNDECIDED',
    message: `the stage has lasted ${formatDuration(lasted)} and is not decided: ${why}`,
    evidence: { atMostMs: step.atMostMs, criterion: unmet?.name ?? null },
    actor: ENGINE,
  }
}

function finishStage(
  state: ServiceState,
  rollout: RolloutState,
  { step, startedAt, now, looked }: StageContext<'observe'>,
): Event[] {
  if (step.durationMs === null || !looked) return []
  const lasted = now - startedAt
  const isEarly = lasted < step.durationMs
  if (isEarly && (lasted < (step.earliestMs ?? step.durationMs) || !isShownFine(rollout))) return []
  if (!hasFreshNumbers(rollout, now) || !isInForce(state, rollout.plan.to.release)) return []
  const criteria = bindingCriteria(rollout)
  if (criteria.some(({ met }) => met !== true)) return []
  const { requests } = rollout.atStep.candidate
  if (
    (requests === 0 && !isWorker(rollout.settings)) ||
    !hasPassedOften(rollout) ||
    lackingMetrics(rollout, now).length > 0
  )
    return []
  const took = formatDuration(lasted)
  const what = step.shadow === undefined ? 'requests at this weight' : 'copied requests answered'
  const early = isEarly
    ? `; ${formatDuration(step.durationMs - lasted)} early, since that it is worse is ruled out`
    : ''
  return done(
    rollout,
    now,
    `${took} and ${requests} ${what}, ${criteria.length} criteria met${early}${ignoredText(rollout)}`,
  )
}

/** More than any limit takes: each of them takes several bad batches. */
const MANY_LOOKS = 6

/**
 * Numbers from before the watch say nothing about it, however fresh they are; and a controller that slept through most of it
 * has too few to find a limit broken. As many looks as fit into the watch are waited for, and more where what was counted
 * speaks against the candidate.
 */
function isSeen(rollout: RolloutState, durationMs: number): boolean {
  const { watchLooks, settings } = rollout
  if (watchLooks >= MANY_LOOKS) return true
  if (watchLooks < Math.floor(durationMs / settings.analysis.intervalMs)) return false
  return checksWithState(rollout).every(
    ({ check, state }) => check.tier === 'warning' || evidenceNow(check, state) <= 0,
  )
}

function watch(rollout: RolloutState, { step, startedAt, now, looked }: StageContext<'watch'>): Event[] {
  if (!looked || now - startedAt < step.durationMs || !hasFreshNumbers(rollout, now)) return []
  if (!isSeen(rollout, step.durationMs)) return []
  return done(rollout, now, `watched for ${formatDuration(step.durationMs)} without a critical trigger`)
}

function promote(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const { release, version } = rollout.plan.to
  if (isCandidateStable(state, rollout))
    return done(
      rollout,
      now,
      rollout.plan.from === null
        ? 'this is the first release'
        : `it took the place of ${rollout.plan.from.version}`,
    )
  const checklist = checklistOf(state, rollout)
  if (checklist.some(({ state }) => state === 'failed')) return []
  return [{ kind: 'stable-changed', at: now, release, version, checklist }]
}

const oldSets = (state: ServiceState, rollout: RolloutState): SetState[] =>
  state.sets.filter(
    (set) =>
      set.release !== rollout.plan.to.release &&
      (set.role === 'warm' || set.role === 'retiring' || set.role === 'held'),
  )

function drainOld(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const warm = oldSets(state, rollout).find((set) => set.role !== 'retiring')
  if (warm !== undefined) return [{ kind: 'set-retiring', at: now, release: warm.release }]
  const old = oldSets(state, rollout)
  // The new set died meanwhile and an old one takes its traffic: nothing healthy is taken away.
  if (old.some((set) => isServing(state, set))) return []
  if (!old.every((set) => set.stage !== 'wanted' || isDrained(state, set))) return []
  const names = old.map(({ version }) => version).join(', ')
  return done(rollout, now, old.length === 0 ? 'there was no old set' : `nothing runs on ${names} any more`)
}

/** The way back stays a matter of one change of weight; the set leaves by itself when its time is over. */
function keepOld(state: ServiceState, rollout: RolloutState, { step, now }: StageContext<'keep'>): Event[] {
  const old = oldSets(state, rollout).filter(({ role }) => role === 'warm')
  const fresh = old.find(({ releaseAt }) => releaseAt === null)
  if (fresh !== undefined)
    return [{ kind: 'set-kept', at: now, release: fresh.release, until: now + step.forMs }]
  if (old.length === 0) return done(rollout, now, 'there was no old set')
  const names = old.map(({ version }) => version).join(', ')
  return done(rollout, now, `${names} stays ready for ${formatDuration(step.forMs)}`)
}

function retireOld(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const old = oldSets(state, rollout)
  const running = old.find((set) => set.stage === 'wanted' && isDrained(state, set))
  if (running !== undefined)
    return [{ kind: 'set-stopping', at: now, release: running.release, sequence: state.sequence + 1 }]
  if (old.length === 0) return done(rollout, now, 'the old instances are gone')
  // Workers may take long over what they have, and nothing of the rollout waits for it.
  const isFinishing = isWorker(rollout.settings) && old.every(isLetGo)
  return isFinishing ? done(rollout, now, 'the old workers finish what they have') : []
}

const isLetGo = ({ stage, letGoAccepted }: SetState): boolean => stage === 'stopping' && letGoAccepted
