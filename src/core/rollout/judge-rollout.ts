import type { Check } from '../analysis/check.ts'
import { checksOf } from '../analysis/check.ts'
import type { Criterion } from '../analysis/criteria.ts'
import { judgeCriteria } from '../analysis/criteria.ts'
import type { CheckState } from '../analysis/judge.ts'
import { newCheckState, verdictOf } from '../analysis/judge.ts'
import { describeCheck } from '../analysis/sentence.ts'
import type { Instance } from '../shared/instance.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import type { RolloutState, ServiceState, SetState } from './state.ts'

/** What the numbers and the instances say about the candidate right now. `critical` rolls back, `warning` pauses. */
export type Judgement =
  | { kind: 'ok' }
  | { kind: 'warning'; reason: Reason; checks: string[] }
  | { kind: 'critical'; reason: Reason }

export function judgeRollout(rollout: RolloutState, candidate: SetState | undefined): Judgement {
  const dying = candidate === undefined ? null : judgeInstances(rollout, candidate)
  if (dying !== null) return { kind: 'critical', reason: dying }
  const crossed = checksWithState(rollout).filter(
    ({ check, state }) => verdictOf(check, state).verdict === 'worse',
  )
  const critical = crossed.find(({ check }) => check.tier !== 'warning')
  if (critical !== undefined) return { kind: 'critical', reason: reasonOf(critical, 'CHECK_CRITICAL') }
  const warnings = crossed.filter(({ check }) => !rollout.acknowledged.includes(check.name))
  const first = warnings[0]
  if (first === undefined) return { kind: 'ok' }
  return {
    kind: 'warning',
    reason: reasonOf(first, 'CHECK_WARNING'),
    checks: warnings.map(({ check }) => check.name),
  }
}

export function checksWithState(rollout: RolloutState): { check: Check; state: CheckState }[] {
  return checksOf(rollout.settings.analysis).map((check) => ({
    check,
    state: rollout.checks.find(({ name }) => name === check.name) ?? newCheckState(check),
  }))
}

/** Criteria of the running stage; empty when the step has none. */
export function criteriaOf(rollout: RolloutState): Criterion[] {
  const step = rollout.plan.steps[rollout.stepIndex]?.step
  if (step?.kind !== 'observe') return []
  return judgeCriteria(step.criteria, rollout.atStep, rollout.settings.analysis.minRequests)
}

function reasonOf({ check, state }: { check: Check; state: CheckState }, code: string): Reason {
  const verdict = verdictOf(check, state)
  const { sentence, candidate, stable, threshold } = describeCheck(check, state, verdict)
  const evidence = {
    check: check.name,
    tier: check.tier,
    candidate,
    stable,
    threshold,
    logE: verdict.logE,
    logThreshold: verdict.threshold,
    requests: state.candidate.requests,
  }
  return { code, message: sentence, evidence, actor: ENGINE }
}

/** Critical: more than 10% of the instances and at least two (or the only one) failing; a crash loop; any OOM kill that the source can tell. */
function judgeInstances(rollout: RolloutState, candidate: SetState): Reason | null {
  const { analysis } = rollout.settings
  const crashes = candidate.instances.reduce((sum, { crashes }) => sum + crashes, 0) - rollout.crashesAtStart
  if (crashes >= analysis.crashLimit)
    return {
      code: 'CRASH_LOOP',
      message: `instances of ${candidate.version} crashed ${crashes} times (limit ${analysis.crashLimit})${lastWords(candidate)}`,
      evidence: { crashes },
      actor: ENGINE,
    }
  const starved = candidate.instances.find(
    ({ lastExit }) => lastExit?.cause === 'oom' && lastExit.at >= rollout.startedAt,
  )
  if (starved !== undefined)
    return {
      code: 'OUT_OF_MEMORY',
      message: `instance ${starved.id} of ${candidate.version} was killed for want of memory`,
      evidence: { instance: starved.id, exit: starved.lastExit },
      actor: ENGINE,
    }
  const failing = candidate.instances.filter((instance) => isFailing(instance, analysis.failingChecks))
  const enough = candidate.replicas === 1 ? failing.length >= 1 : failing.length >= 2
  if (!enough || (100 * failing.length) / candidate.replicas <= analysis.failingInstancesPercent) return null
  const message = `${failing.length} of ${candidate.replicas} instances of ${candidate.version} are failing${lastWords(candidate)}`
  return {
    code: 'INSTANCES_FAILING',
    message,
    evidence: { failing: failing.map(({ id, state }) => `${id} ${state}`) },
    actor: ENGINE,
  }
}

/** One that ended while nobody watched (the agent was away) is no evidence yet: what is wrong with it ends it again. */
function isFailing(instance: Instance, checks: number): boolean {
  switch (instance.state) {
    case 'crashed':
      return instance.lastExit?.cause !== 'unknown'
    case 'failed':
    case 'gone':
      return true
    case 'unready':
      return instance.consecutiveProbeFailures >= checks
    case 'starting':
    case 'ready':
    case 'stopping':
      return false
  }
}

/** The most telling thing the failing instances said: how one ended, else which probe failed. */
export function lastWords(set: SetState): string {
  const instance = set.instances.find(
    ({ state, lastExit, lastProbeFailure }) =>
      state !== 'ready' && (lastExit !== null || lastProbeFailure !== null),
  )
  if (instance === undefined) return ''
  const { lastExit, lastProbeFailure } = instance
  if (lastExit !== null && instance.state !== 'failed')
    return `: ${lastExit.signal === null ? `exit code ${lastExit.code ?? 'unknown'}` : `killed by ${lastExit.signal}`}`
  return lastProbeFailure === null ? '' : `: ${lastProbeFailure.message}`
}

export const candidateSet = (state: ServiceState): SetState | undefined => {
  const { rollout } = state
  return rollout === null ? undefined : state.sets.find((set) => set.release === rollout.plan.to.release)
}
