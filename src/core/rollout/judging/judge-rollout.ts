import type { Check } from '../../analysis/check.ts'
import { checksOf } from '../../analysis/check.ts'
import { type HardSignal, isDryRun } from '../../analysis/dry-run.ts'
import type { CheckState } from '../../analysis/judge.ts'
import {
  hasOwnCounts,
  isAboutErrors,
  isFineSince,
  newCheckState,
  spreadOf,
  verdictOf,
} from '../../analysis/judge.ts'
import { describeCheck } from '../../analysis/sentence.ts'
import type { Dispersion } from '../../analysis/sequential/dispersion.ts'
import type { Instance } from '../../shared/instance.ts'
import { metricsFound, metricsShowFine } from '../metrics/metric-finding.ts'
import { rollbackForLack } from '../metrics/metric-lack.ts'
import type { Reason } from '../reason.ts'
import { ENGINE } from '../reason.ts'
import type { RolloutState, ServiceState, SetState } from '../state.ts'
import { alertsShown } from './alerts.ts'
import { dispersionsOf } from './count-metrics.ts'
import { ejectionsFound, failsForUsers } from './ejections.ts'
import { namedChecksFound } from './named-checks.ts'
import { newErrorsShown } from './new-errors.ts'
import { resourcesFound } from './resource-finding.ts'

/** What the numbers and the instances say about the candidate right now. `critical` rolls back, `warning` pauses. */
export type Judgement =
  | { kind: 'ok' }
  | { kind: 'warning'; reason: Reason; checks: string[] }
  | { kind: 'critical'; reason: Reason }

export function judgeRollout(rollout: RolloutState, candidate: SetState | undefined): Judgement {
  const dying = candidate === undefined ? null : judgeInstances(rollout, candidate)
  if (dying !== null) return { kind: 'critical', reason: dying }
  const { analysis } = rollout.settings
  const crossed = checksWithState(rollout).filter(
    ({ check, state }) =>
      !isDryRun(analysis, check.name) && verdictOf(check, state, rollout.total).verdict === 'worse',
  )
  const critical = crossed.find(({ check }) => check.tier !== 'warning')
  if (critical !== undefined)
    return { kind: 'critical', reason: reasonOf(rollout, critical, 'CHECK_CRITICAL') }
  const measured =
    metricsFound(rollout, 'critical')?.reason ??
    resourcesFound(rollout, 'critical')?.reason ??
    namedChecksFound(rollout, 'critical')?.reason ??
    rollbackForLack(rollout)
  if (measured !== null) return { kind: 'critical', reason: measured }
  const { newErrors } = analysis
  const written = newErrors === 'report' ? null : newErrorsShown(rollout)
  if (written !== null && newErrors === 'critical') return { kind: 'critical', reason: written.reason }
  const alarmed = alertsShown(rollout, 'rollback')
  if (alarmed !== null) return { kind: 'critical', reason: alarmed.reason }
  const warnings = crossed.filter(({ check }) => !rollout.acknowledged.includes(check.name))
  const first = warnings[0]
  if (first === undefined)
    return warningOf(
      metricsFound(rollout, 'warning') ??
        resourcesFound(rollout, 'warning') ??
        namedChecksFound(rollout, 'warning') ??
        ejectionsFound(rollout, candidate) ??
        written ??
        alertsShown(rollout, 'pause'),
    )
  return {
    kind: 'warning',
    reason: reasonOf(rollout, first, 'CHECK_WARNING'),
    checks: warnings.map(({ check }) => check.name),
  }
}

const warningOf = (found: { reason: Reason; checks: string[] } | null): Judgement =>
  found === null ? { kind: 'ok' } : { kind: 'warning', ...found }

export type CheckWithState = { check: Check; state: CheckState }

export function checksWithState(rollout: RolloutState): CheckWithState[] {
  return checksOf(rollout.settings.analysis).map((check) => ({
    check,
    state: rollout.checks.find(({ name }) => name === check.name) ?? newCheckState(check),
  }))
}

/** Every comparison has ruled out, from what was counted in this stage alone, that the candidate is worse, and so have critical metrics. */
export function isShownFine(rollout: RolloutState): boolean {
  const compared = checksWithState(rollout).flatMap(({ check, state }) =>
    check.kind === 'compare' && !isDryRun(rollout.settings.analysis, check.name)
      ? [isFineSince(check, state, rollout.fineAtStep[check.name] ?? [])]
      : [],
  )
  return compared.length > 0 && compared.every((isFine) => isFine) && metricsShowFine(rollout)
}

/** The check in words, with what it rests on at this moment. */
export function describedCheck(rollout: RolloutState, { check, state }: CheckWithState) {
  const verdict = verdictOf(check, state, rollout.total)
  const dispersion = dispersionNow(rollout, check)
  return { verdict, ...describeCheck(check, state, { verdict, counted: rollout.total, dispersion }) }
}

/** What the evidence of the next batch would be divided by. */
export function dispersionNow(rollout: RolloutState, check: Check): Dispersion {
  const { errors, latency } = dispersionsOf(rollout, rollout.cursor?.at ?? rollout.startedAt)
  const known = isAboutErrors(check) || hasOwnCounts(check) ? errors : latency
  return { ...known, phi: spreadOf(check, { errors: errors.phi, latency: latency.phi }) }
}

function reasonOf(rollout: RolloutState, { check, state }: CheckWithState, code: string): Reason {
  const { verdict, sentence, candidate, stable, threshold } = describedCheck(rollout, { check, state })
  const evidence = {
    check: check.name,
    tier: check.tier,
    candidate,
    stable,
    threshold,
    logE: verdict.logE,
    logThreshold: verdict.threshold,
    requests: rollout.total.candidate.requests,
  }
  return { code, message: sentence, evidence, actor: ENGINE }
}

/** The first signal of the instances that needs no statistics and is no dry run. */
const judgeInstances = (rollout: RolloutState, candidate: SetState): Reason | null =>
  hardSignals(rollout, candidate).find(({ name }) => !isDryRun(rollout.settings.analysis, name))?.reason ??
  null

type Signal = { name: HardSignal; reason: Reason }
type SignalOf = (rollout: RolloutState, candidate: SetState) => Signal | null

/** Critical: more than 10% of the instances and at least two (or the only one) failing; a crash loop; any OOM kill that the source can tell. */
export const hardSignals = (rollout: RolloutState, candidate: SetState): Signal[] =>
  [crashLoop, outOfMemory, instancesFailing].flatMap((signalOf) => signalOf(rollout, candidate) ?? [])

const crashLoop: SignalOf = ({ settings, crashesAtStart }, candidate) => {
  const { crashLimit } = settings.analysis
  const crashes = candidate.instances.reduce((sum, { crashes }) => sum + crashes, 0) - crashesAtStart
  if (crashes < crashLimit) return null
  const message = `instances of ${candidate.version} crashed ${crashes} times (limit ${crashLimit})${lastWords(candidate)}`
  return signal('crash loop', { code: 'CRASH_LOOP', message, evidence: { crashes } })
}

const outOfMemory: SignalOf = ({ startedAt }, candidate) => {
  const starved = candidate.instances.find(
    ({ lastExit }) => lastExit?.cause === 'oom' && lastExit.at >= startedAt,
  )
  if (starved === undefined) return null
  const message = `instance ${starved.id} of ${candidate.version} was killed for want of memory`
  const evidence = { instance: starved.id, exit: starved.lastExit }
  return signal('out of memory', { code: 'OUT_OF_MEMORY', message, evidence })
}

const instancesFailing: SignalOf = ({ settings: { analysis } }, candidate) => {
  const failing = candidate.instances.filter((instance) => isFailing(instance, analysis.failingChecks))
  const enough = candidate.replicas === 1 ? failing.length >= 1 : failing.length >= 2
  if (!enough || (100 * failing.length) / candidate.replicas <= analysis.failingInstancesPercent) return null
  const message = `${failing.length} of ${candidate.replicas} instances of ${candidate.version} are failing${lastWords(candidate)}`
  const evidence = {
    failing: failing.map((one) => `${one.id} ${failsForUsers(one) ? 'left out' : one.state}`),
  }
  return signal('failing instances', { code: 'INSTANCES_FAILING', message, evidence })
}

const signal = (name: HardSignal, reason: Omit<Reason, 'actor'>): Signal => ({
  name,
  reason: { ...reason, actor: ENGINE },
})

/** One that ended while nobody watched (the agent was away) is no evidence yet: what is wrong with it ends it again. */
function isFailing(instance: Instance, checks: number): boolean {
  if (failsForUsers(instance)) return true
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
  if (instance === undefined) return userWords(set)
  const { lastExit, lastProbeFailure } = instance
  if (
    lastExit !== null &&
    lastExit.cause !== 'not-live' &&
    instance.state !== 'failed' &&
    lastProbeFailure?.kind !== 'not-started'
  )
    return `: ${lastExit.signal === null ? `exit code ${lastExit.code ?? 'unknown'}` : `killed by ${lastExit.signal}`}`
  return lastProbeFailure === null ? '' : `: ${lastProbeFailure.message}`
}

/** What users met with an instance that the router left out. */
function userWords({ instances }: SetState): string {
  const why = instances.find(failsForUsers)?.ejected?.why
  return why === undefined ? '' : `: ${why}`
}

export const candidateSet = (state: ServiceState): SetState | undefined => {
  const { rollout } = state
  return rollout === null ? undefined : state.sets.find((set) => set.release === rollout.plan.to.release)
}
