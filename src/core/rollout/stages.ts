import { formatDuration } from '../shared/duration.ts'
import { formatWeight, TOTAL_PERMILLE } from '../shared/weight.ts'
import { checklistOf } from './completion.ts'
import type { Event } from './event.ts'
import { candidateSet, criteriaOf, isShownFine } from './judge-rollout.ts'
import { ignoredText, lackingMetrics } from './metric-lack.ts'
import { neverReady, provision } from './provision.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import { hasFreshNumbers, isCandidateStable, neededReady } from './rollout-position.ts'
import { isInForce, readyInstances } from './routing.ts'
import { isDrained, isServing } from './set-upkeep.ts'
import type { StageContext } from './stage-context.ts'
import type { RolloutState, ServiceState, SetState } from './state.ts'
import { done } from './step-done.ts'

/** What the present step does next; nothing while it waits. */
export function continueStep(state: ServiceState, rollout: RolloutState, context: StageContext): Event[] {
  const { step, ...moment } = context
  switch (step.kind) {
    case 'provision':
      return provision(state, rollout, { step, ...moment })
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
  }
}

function shiftTraffic(
  state: ServiceState,
  rollout: RolloutState,
  { step, startedAt, now, looked }: StageContext<'traffic'>,
): Event[] {
  const { release, version } = rollout.plan.to
  const weight = formatWeight(step.weightPermille)
  const wanted = weightsFor(state, rollout, step.weightPermille)
  if (!sameWeights(state.traffic.weights, wanted)) {
    const set = candidateSet(state)
    const ready = readyInstances(set).length
    if (ready < neededReady(rollout)) {
      const overdue = looked && now - startedAt - rollout.heldMs >= rollout.settings.health.deadlineMs
      return overdue && set !== undefined ? neverReady(state, rollout, { set, ready, now }) : []
    }
    const reason: Reason = {
      code: 'STEP',
      message: `${version} gets ${weight} of traffic`,
      evidence: { weightPermille: step.weightPermille },
      actor: ENGINE,
    }
    return [{ kind: 'weights-decided', at: now, weights: wanted, reason }]
  }
  if (!isInForce(state, release)) return []
  return done(rollout, now, `the router confirmed ${weight} for ${version}`)
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
function pauseUndecided(
  rollout: RolloutState,
  { step, startedAt, now, looked }: StageContext<'observe'>,
): Event[] {
  const name = `stage ${rollout.stepIndex + 1}`
  const lasted = now - startedAt - rollout.heldMs
  if (step.atMostMs === undefined || !looked || lasted < step.atMostMs) return []
  if (rollout.acknowledged.includes(name)) return []
  const unmet = criteriaOf(rollout).find(({ met }) => met !== true)
  const [lack] = lackingMetrics(rollout, now)
  const why = unmet?.sentence ?? lack?.text ?? 'there are no fresh numbers'
  const reason: Reason = {
    code: 'STAGE_UNDECIDED',
    message: `the stage has lasted ${formatDuration(lasted)} and is not decided: ${why}`,
    evidence: { atMostMs: step.atMostMs, criterion: unmet?.name ?? null },
    actor: ENGINE,
  }
  return [{ kind: 'rollout-paused', at: now, reason, checks: [name] }]
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
  const criteria = criteriaOf(rollout)
  if (criteria.some(({ met }) => met !== true)) return []
  const { requests } = rollout.atStep.candidate
  if (requests === 0 || lackingMetrics(rollout, now).length > 0) return []
  const took = formatDuration(lasted)
  const early = isEarly
    ? `; ${formatDuration(step.durationMs - lasted)} early, since that it is worse is ruled out`
    : ''
  return done(
    rollout,
    now,
    `${took} and ${requests} requests at this weight, ${criteria.length} criteria met${early}${ignoredText(rollout)}`,
  )
}

function watch(rollout: RolloutState, { step, startedAt, now, looked }: StageContext<'watch'>): Event[] {
  if (!looked || now - startedAt < step.durationMs || !hasFreshNumbers(rollout, now)) return []
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

function retireOld(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const old = oldSets(state, rollout)
  const running = old.find((set) => set.stage === 'wanted' && isDrained(state, set))
  if (running !== undefined)
    return [{ kind: 'set-stopping', at: now, release: running.release, sequence: state.sequence + 1 }]
  return old.length > 0 ? [] : done(rollout, now, 'the old instances are gone')
}
