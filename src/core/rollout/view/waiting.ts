import { routerTitle } from '../../plan/router/router-fit.ts'
import { isWorker } from '../../release/worker.ts'
import { readyWithinMs } from '../../shared/set-spec.ts'
import { stopping } from '../batches/members.ts'
import { stableSet } from '../batches/planned.ts'
import { isBusy } from '../drains.ts'
import { routerTrouble } from '../effect-answer.ts'
import { isDriftHeld, isFrozen } from '../hold.ts'
import { candidateSet, lastWords } from '../judging/judge-rollout.ts'
import { bindingCriteria, hasPassedOften } from '../judging/stage-criteria.ts'
import { lackingMetrics } from '../metrics/metric-lack.ts'
import { hasRoom } from '../provision.ts'
import type { WaitingOn } from '../reason.ts'
import { isClosed } from '../recreate/closing.ts'
import { hasFreshNumbers, isFailed, neededReady } from '../rollout-position.ts'
import { isConfirmed, isInForce, livingInstances, readyInstances } from '../routing.ts'
import { driftText } from '../see-routes.ts'
import { isServing } from '../set-upkeep.ts'
import { shadowingNow } from '../shadow/shadowing.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import { confirmText } from './several-routers.ts'

const PERSON = 'whoever may operate the service'

/** What has to happen next, on whom, until when. */
export function waitingOnOf(state: ServiceState, rollout: RolloutState, now: number): WaitingOn | null {
  const { phase, plan } = rollout
  if (phase.kind === 'ended') return null
  if (phase.kind === 'returning') return waitingForReturn(state)
  if (isDriftHeld(state)) return waitingForDrift(state)
  if (isFailed(rollout)) {
    const message = 'it failed and is held where it is: abort it, or deploy a version that mends it'
    return { kind: 'person', who: PERSON, until: null, message }
  }
  if (phase.paused !== null)
    return { kind: 'person', who: PERSON, until: null, message: 'paused: resume, promote or abort it' }
  if (isFrozen(state, rollout)) return waitingForFreeze(state)
  const step = plan.steps[rollout.stepIndex]?.step
  const startedAt = rollout.steps[rollout.stepIndex]?.startedAt ?? now
  switch (step?.kind) {
    case undefined:
    case 'retire':
      return { kind: 'drain', who: 'the old instances', until: null, message: 'the old instances stop' }
    case 'provision':
      return (
        waitingForRoom(state, rollout, step.replicas) ??
        waitingForInstances(state, rollout, startedAt + rollout.heldMs + step.deadlineMs)
      )
    case 'verify':
      return waitingForChecks(rollout, { atMostMs: step.atMostMs, startedAt })
    case 'vacate':
      return waitingForEnd(state)
    case 'gate':
      return waitingAtGate(state, rollout, { durationMs: step.durationMs, startedAt, now })
    case 'traffic':
      return waitingForWeight(state, rollout, startedAt)
    case 'shrink':
      return waitingForBatch(state, rollout)
    case 'observe':
      return waitingForStage(state, rollout, { durationMs: step.durationMs, startedAt, now })
    case 'watch':
      return waitingForWatch(rollout, { durationMs: step.durationMs, startedAt, now })
    case 'promote':
    case 'keep':
      return waitingForWeight(state, rollout, null)
    case 'drain':
      return isConfirmed(state) ? waitingForDrain(state) : waitingForRouter(confirmText(state, 'the routes'))
  }
}

function waitingForChecks(
  { plan, stepIndex }: RolloutState,
  { atMostMs, startedAt }: { atMostMs: number; startedAt: number },
): WaitingOn {
  const step = plan.steps[stepIndex]?.step
  const names = step?.kind === 'verify' ? step.checks.join(', ') : ''
  return {
    kind: 'checks',
    who: plan.to.version,
    until: startedAt + atMostMs,
    message: `the checks: ${names}`,
  }
}

function waitingAtGate(
  state: ServiceState,
  rollout: RolloutState,
  { durationMs, startedAt, now }: Timed & { durationMs: number | null },
): WaitingOn {
  const { version, release } = rollout.plan.to
  if (durationMs === null) {
    const weight = state.traffic.weights[release] ?? 0
    const message =
      weight === 0
        ? `${version} is ready and has no traffic: promote it, or abort`
        : `the time of the test is over, and users keep their variants: promote ${version}, or abort`
    return { kind: 'person', who: PERSON, until: null, message }
  }
  if (now - startedAt >= durationMs) return waitingForInstances(state, rollout, null)
  const message = `${version} is ready and has no traffic; the switch follows by itself, unless somebody aborts`
  return { kind: 'time', who: 'the clock', until: startedAt + durationMs, message }
}

function waitingForDrift(state: ServiceState): WaitingOn {
  const message = `the routes were changed from outside (${driftText(state)}): resume puts ours back, abort returns to stable`
  return { kind: 'person', who: PERSON, until: null, message }
}

function waitingForFreeze({ freeze }: ServiceState): WaitingOn {
  const message = `the environment is frozen by ${freeze?.who ?? 'somebody'}: ${freeze?.reason ?? ''}`
  return { kind: 'freeze', who: freeze?.who ?? '', until: freeze?.until ?? null, message }
}

/** What runs is to end: turned away first, then finished, then gone. */
function waitingForEnd(state: ServiceState): WaitingOn {
  if (!isConfirmed(state)) return waitingForRouter(confirmText(state, 'that nobody is served'))
  const set = stableSet(state)
  const left = set === undefined ? [] : livingInstances(set)
  const busy = left.filter(({ id }) => isBusy(state, id)).length
  const version = state.stable?.version ?? 'stable'
  const message = `nobody is served: ${left.length} of ${version} still ${left.length === 1 ? 'runs' : 'run'}${busy === 0 ? '' : `, ${busy} with work`}`
  return { kind: 'drain', who: version, until: null, message }
}

function waitingForReturn(state: ServiceState): WaitingOn {
  const { stable } = state
  const set = state.sets.find(({ release }) => release === stable?.release)
  if (stable !== null && readyInstances(set).length === 0) {
    const message = isClosed(state)
      ? `nobody is served until ${stable.version} is ready again`
      : 'stable has no ready instance to take the traffic'
    return { kind: 'instances', who: stable.version, until: null, message }
  }
  const trouble = routerTrouble(state)
  const why = trouble === null ? '' : `; it is tried again and again: ${trouble.message}`
  return waitingForRouter(`${confirmText(state, 'that all traffic is back on stable')}${why}`)
}

/** One of several routers holds up the others. */
function againText(state: ServiceState): string {
  const trouble = state.traffic.also.length === 0 ? null : routerTrouble(state)
  return trouble === null ? '' : `; it is tried again and again: ${trouble.message}`
}

const waitingForRouter = (message: string): WaitingOn => ({
  kind: 'router',
  who: 'the router',
  until: null,
  message,
})

function waitingForDrain(state: ServiceState): WaitingOn {
  const { sets, stable } = state
  const standIn = sets.find((set) => set.role === 'retiring' && isServing(state, set))
  if (standIn !== undefined) {
    const message = `nothing of ${stable?.version ?? 'stable'} is ready, so ${standIn.version} takes the traffic and stays`
    return { kind: 'instances', who: stable?.version ?? 'stable', until: null, message }
  }
  const busy = sets.flatMap(livingInstances).filter(({ id }) => isBusy(state, id)).length
  const { former } = state.traffic
  const at =
    former.length === 0
      ? ''
      : `, also at ${former.map(({ router }) => routerTitle(router)).join(' and ')}, which served before`
  const message = `${busy} old ${busy === 1 ? 'instance still has' : 'instances still have'} work${at}`
  return { kind: 'drain', who: 'requests on the old set', until: null, message }
}

/** Some of stable leave: they finish what they have, or the batch is not yet as ready as it was. */
function waitingForBatch(state: ServiceState, rollout: RolloutState): WaitingOn {
  const leaving = stableSet(state)?.leaving ?? []
  const { release } = rollout.plan.to
  if (!isInForce(state, release)) return waitingForRouter(confirmText(state, 'the routes'))
  if (leaving.length === 0) return waitingForInstances(state, rollout, null)
  const message = `${leaving.length} of ${state.stable?.version ?? 'stable'} finish what they have`
  return { kind: 'drain', who: 'requests on the old set', until: null, message }
}

/** The next ones start once as many of the others are gone; `null` where nothing is in their way but what serves. */
function waitingForRoom(state: ServiceState, rollout: RolloutState, replicas: number): WaitingOn | null {
  const { release } = rollout.plan.to
  const set = state.sets.find((other) => other.release !== release && stopping(other) > 0)
  const isAsked = (candidateSet(state)?.replicas ?? 0) >= replicas
  if (set === undefined || isAsked || hasRoom(state, rollout, { replicas })) return null
  const count = stopping(set)
  const message = `${count} of ${set.version} ${count === 1 ? 'stops' : 'stop'} first, since no more may run at a time`
  return { kind: 'drain', who: set.version, until: null, message }
}

function waitingForInstances(state: ServiceState, rollout: RolloutState, until: number | null): WaitingOn {
  const { sets } = state
  const { target } = state.troubles
  if (target !== undefined)
    return { kind: 'target', who: 'the target', until: null, message: `it answers: ${target.message}` }
  const set = candidateSet(state)
  const { version } = rollout.plan.to
  const kept = set === undefined ? sets.find(({ role }) => role === 'warm' || role === 'retiring') : undefined
  if (kept !== undefined) {
    const message = `the set of ${kept.version}, which was kept, stops first`
    return { kind: 'drain', who: kept.version, until: null, message }
  }
  if (set?.role === 'held' || set?.role === 'retiring') {
    const message = `what is left of an earlier attempt of ${version} stops first`
    return { kind: 'drain', who: version, until: null, message }
  }
  const ready = readyInstances(set).length
  const message = `${ready} of ${neededReady(rollout)} instances are ready${set === undefined ? '' : lastWords(set)}`
  return { kind: 'instances', who: version, until, message }
}

/** A change of weight waits for instances that can take it, for the router, or for the side that cannot serve its share. */
function waitingForWeight(state: ServiceState, rollout: RolloutState, startedAt: number | null): WaitingOn {
  const ready = readyInstances(candidateSet(state)).length
  const deadlineMs = readyWithinMs(rollout.settings.health)
  if (ready < neededReady(rollout))
    return waitingForInstances(
      state,
      rollout,
      startedAt === null ? null : startedAt + rollout.heldMs + deadlineMs,
    )
  if (!isConfirmed(state)) return waitingForRouter(confirmText(state, 'the weights') + againText(state))
  const message = 'stable has no ready instance, so the candidate stands in for it; promote it fully or abort'
  return { kind: 'instances', who: state.stable?.version ?? 'stable', until: null, message }
}

type Timed = { startedAt: number; now: number }

function waitingForWatch(
  rollout: RolloutState,
  { durationMs, startedAt, now }: Timed & { durationMs: number },
): WaitingOn {
  if (now - startedAt >= durationMs && !hasFreshNumbers(rollout, now)) return waitingForNumbers(rollout)
  const message = 'the watch; critical triggers still roll back'
  return { kind: 'watch', who: 'the clock', until: startedAt + durationMs, message }
}

function waitingForStage(
  state: ServiceState,
  rollout: RolloutState,
  { durationMs, startedAt, now }: Timed & { durationMs: number | null },
): WaitingOn {
  if (durationMs === null)
    return { kind: 'person', who: PERSON, until: null, message: 'the plan waits for a promotion by hand' }
  if (now - startedAt < durationMs)
    return { kind: 'time', who: 'the clock', until: startedAt + durationMs, message: 'the step time' }
  if (!hasFreshNumbers(rollout, now)) return waitingForNumbers(rollout)
  if (!isInForce(state, rollout.plan.to.release)) return waitingForWeight(state, rollout, null)
  const unmet = bindingCriteria(rollout).find(({ met }) => met !== true)
  const isIdle = rollout.atStep.candidate.requests === 0 && !isWorker(rollout.settings)
  if (unmet?.met === null || isIdle) {
    const message = unmet?.sentence ?? idleText(rollout)
    return { kind: 'data', who: 'users', until: null, message }
  }
  const [lack] = lackingMetrics(rollout, now)
  if (unmet === undefined && lack !== undefined)
    return { kind: 'data', who: lack.metric.query.provider, until: null, message: lack.text }
  const message =
    unmet?.sentence ?? (hasPassedOften(rollout) ? 'the criteria of the stage' : passesText(rollout))
  return { kind: 'criteria', who: rollout.plan.to.version, until: null, message }
}

const idleText = (rollout: RolloutState): string =>
  shadowingNow(rollout) === null
    ? 'the candidate has had no request at this weight'
    : 'no copied request was answered yet'

function passesText({ plan, stepIndex, stageLooks }: RolloutState): string {
  const step = plan.steps[stepIndex]?.step
  const needed = step?.kind === 'observe' ? (step.criteria.consecutivePasses ?? 1) : 1
  return `the criteria were met at ${stageLooks.passes} of ${needed} looks one after the other`
}

function waitingForNumbers({ sourceFailures }: RolloutState): WaitingOn {
  const message = sourceFailures === null ? 'fresh numbers' : `no numbers: ${sourceFailures.problem.message}`
  return { kind: 'data', who: 'the metric source', until: null, message }
}
