import { healthTargets } from '../analysis/health-targets.ts'
import { verdictOf } from '../analysis/judge.ts'
import { describeCheck } from '../analysis/sentence.ts'
import { formatDuration } from '../shared/duration.ts'
import { formatWeight } from '../shared/weight.ts'
import { isConfirmed, isWatching, neededReady } from './advance.ts'
import { candidateSet, checksWithState, criteriaOf, lastWords } from './judge-rollout.ts'
import type { WaitingOn } from './reason.ts'
import { readyInstances } from './routing.ts'
import type { RolloutState, ServiceState, SetState } from './state.ts'
import type { ActionView, CheckView, RolloutView, ServiceView, SetView, StepView, TimelineEntry } from './view.ts'
import { VIEW_SCHEMA_VERSION } from './view.ts'

export type ViewInput = { revision: number; now: number; timeline: TimelineEntry[]; inFlight: Record<string, number> }

/** The one picture that page, terminal and scripts see. */
export function serviceView(state: ServiceState, input: ViewInput): ServiceView {
  const [service = state.stream, environment = 'local'] = state.stream.split('.')
  const { settings } = state
  return {
    schemaVersion: VIEW_SCHEMA_VERSION,
    asOf: input.now,
    revision: input.revision,
    stream: state.stream,
    service,
    environment,
    production: settings?.production ?? false,
    listen: settings === null ? '' : `${settings.listen.host}:${settings.listen.port}`,
    stable: state.stable,
    sets: state.sets.map((set) => setView(state, set, input)),
    rollout: state.rollout === null ? null : rolloutView(state, state.rollout, input.now),
    queued: state.queued === null ? null : { release: state.queued.plan.to.release, version: state.queued.plan.to.version },
    timeline: input.timeline,
    actions: actionsOf(state),
    warnings: Object.values(state.troubles).map(({ message }) => message),
  }
}

function setView(state: ServiceState, set: SetState, { inFlight }: ViewInput): SetView {
  const { confirmed, routes } = state.traffic
  const counted = set.instances.map(({ id }) => inFlight[id])
  return {
    release: set.release,
    version: set.version,
    role: set.role,
    wanted: set.replicas,
    ready: readyInstances(set).length,
    desiredWeightPermille: routes.find(({ release }) => release === set.release)?.weightPermille ?? 0,
    observedWeightPermille: confirmed === null ? null : (confirmed.weights[set.release] ?? 0),
    inFlight: counted.every((count) => count === undefined) ? null : counted.reduce<number>((sum, count) => sum + (count ?? 0), 0),
    instances: set.instances,
  }
}

export function rolloutView(state: ServiceState, rollout: RolloutState, now: number): RolloutView {
  const { plan, phase, loss } = rollout
  const waitingOn = waitingOnOf(state, rollout, now)
  const { release } = plan.to
  return {
    id: rollout.id,
    stream: state.stream,
    service: plan.service,
    environment: plan.environment,
    from: plan.from,
    to: plan.to,
    strategy: plan.strategy,
    plan: { id: plan.id, hash: plan.hash },
    actor: rollout.actor.name,
    startedAt: rollout.startedAt,
    endedAt: phase.kind === 'ended' ? phase.at : null,
    state: stateOf(rollout, waitingOn),
    outcome: phase.kind === 'ended' ? phase.outcome : null,
    sentence: sentenceOf(state, rollout, { waitingOn, now }),
    reason: phase.kind === 'running' ? (phase.paused?.reason ?? rollout.reason) : phase.reason,
    waitingOn,
    step: { index: Math.min(rollout.stepIndex, Math.max(0, plan.steps.length - 1)), total: plan.steps.length },
    steps: stepsOf(rollout),
    weight: {
      desiredPermille: state.traffic.weights[release] ?? 0,
      observedPermille: state.traffic.confirmed === null ? null : (state.traffic.confirmed.weights[release] ?? 0),
    },
    checks: plan.kind === 'canary' ? checkViews(rollout) : [],
    targets: healthTargets(rollout.total.candidate),
    loss: { probes: loss.probes, probesLost: loss.probesLost, requests: loss.requests, requestsLost: loss.unroutable + loss.cutOnDrain, cutOnDrain: loss.cutOnDrain },
    exposure: { requests: rollout.total.candidate.requests, errors: rollout.total.candidate.errors },
    trafficOffMs: rollout.trafficOffMs,
    actions: actionsOf(state),
    problem: rollout.problem,
  }
}

function stateOf(rollout: RolloutState, waitingOn: WaitingOn | null): RolloutView['state'] {
  if (rollout.phase.kind === 'ended') return 'ended'
  if (rollout.phase.kind === 'returning') return 'returning'
  if (rollout.phase.paused !== null) return 'paused'
  if (isWatching(rollout)) return 'watching'
  return waitingOn !== null && waitingOn.kind !== 'time' ? 'waiting' : 'running'
}

const stepsOf = ({ plan, steps }: RolloutState): StepView[] =>
  plan.steps.map(({ step, label, expectedMs }, index) => ({
    index,
    label,
    kind: step.kind,
    state: steps[index]?.state ?? 'planned',
    weightPermille: step.kind === 'traffic' ? step.weightPermille : null,
    plannedMs: expectedMs,
    startedAt: steps[index]?.startedAt ?? null,
    endedAt: steps[index]?.endedAt ?? null,
  }))

function checkViews(rollout: RolloutState): CheckView[] {
  const statistical = checksWithState(rollout).map(({ check, state }): CheckView => {
    const verdict = verdictOf(check, state)
    const shown = check.tier === 'warning' && verdict.verdict === 'worse' ? 'warning' : check.tier === 'critical' && verdict.verdict === 'worse' ? 'critical' : verdict.verdict
    return { name: check.name, tier: check.tier, verdict: rollout.sourceFailures === null ? shown : 'provider-broken', samples: state.candidate.requests, ...describeCheck(check, state, verdict) }
  })
  const stage = criteriaOf(rollout).map(
    ({ name, met, candidate, stable, threshold, sentence }): CheckView => ({ name, tier: 'stage', verdict: met === null ? 'watching' : met ? 'ok' : 'warning', candidate, stable, threshold, samples: rollout.atStep.candidate.requests, sentence }),
  )
  return [...stage, ...statistical]
}

/** What has to happen next, on whom, until when. */
export function waitingOnOf(state: ServiceState, rollout: RolloutState, now: number): WaitingOn | null {
  const { phase, plan } = rollout
  if (phase.kind === 'ended') return null
  if (phase.kind === 'returning') return waitingForReturn(state)
  if (phase.paused !== null) return { kind: 'person', who: 'whoever may operate the service', until: null, message: 'paused: resume, promote or abort it' }
  const step = plan.steps[rollout.stepIndex]?.step
  const startedAt = rollout.steps[rollout.stepIndex]?.startedAt ?? now
  switch (step?.kind) {
    case undefined:
    case 'retire':
      return { kind: 'drain', who: 'the old instances', until: null, message: 'the old instances stop' }
    case 'provision': {
      const set = candidateSet(state)
      const ready = readyInstances(set).length
      return { kind: 'instances', who: plan.to.version, until: startedAt + step.deadlineMs, message: `${ready} of ${neededReady(rollout)} instances are ready${set === undefined ? '' : lastWords(set)}` }
    }
    case 'traffic':
      return { kind: 'router', who: 'the router', until: null, message: isConfirmed(state) ? 'enough ready instances' : 'the router confirms the weights' }
    case 'observe':
      return waitingForStage(rollout, { durationMs: step.durationMs, startedAt, now })
    case 'watch':
      return { kind: 'watch', who: 'the clock', until: startedAt + step.durationMs, message: 'the watch; critical triggers still roll back' }
    case 'promote':
      return { kind: 'instances', who: plan.to.version, until: null, message: 'enough ready instances' }
    case 'drain':
      return { kind: 'drain', who: 'requests on the old set', until: null, message: `${state.busy.length} old instances still have work` }
  }
}

function waitingForReturn(state: ServiceState): WaitingOn {
  if (readyInstances(state.sets.find(({ release }) => release === state.stable?.release)).length === 0 && state.stable !== null)
    return { kind: 'instances', who: state.stable.version, until: null, message: 'stable has no ready instance to take the traffic' }
  return { kind: 'router', who: 'the router', until: null, message: 'the router confirms that all traffic is back on stable' }
}

function waitingForStage(rollout: RolloutState, { durationMs, startedAt, now }: { durationMs: number | null; startedAt: number; now: number }): WaitingOn {
  if (durationMs === null) return { kind: 'person', who: 'whoever may operate the service', until: null, message: 'the plan waits for a promotion by hand' }
  if (now - startedAt < durationMs) return { kind: 'time', who: 'the clock', until: startedAt + durationMs, message: 'the step time' }
  if (rollout.sourceFailures !== null) return { kind: 'data', who: 'the metric source', until: null, message: `no numbers: ${rollout.sourceFailures.problem.message}` }
  const unmet = criteriaOf(rollout).find(({ met }) => met !== true)
  if (unmet?.met === null || rollout.atStep.candidate.requests === 0)
    return { kind: 'data', who: 'users', until: null, message: unmet?.sentence ?? 'the candidate has had no request at this weight' }
  return { kind: 'criteria', who: plan(rollout), until: null, message: unmet?.sentence ?? 'the criteria of the stage' }
}

const plan = (rollout: RolloutState): string => rollout.plan.to.version

function sentenceOf(state: ServiceState, rollout: RolloutState, { waitingOn, now }: { waitingOn: WaitingOn | null; now: number }): string {
  const { phase } = rollout
  const where = `${rollout.plan.service} ${rollout.plan.to.version} in ${rollout.plan.environment}`
  if (phase.kind === 'ended') return `${where}: ${phase.outcome.replace('_', ' ')}. ${capital(phase.reason.message)}.`
  if (phase.kind === 'returning') return `${where}: going back to ${state.stable?.version ?? 'nothing'}. ${capital(phase.reason.message)}.`
  const step = `step ${Math.min(rollout.stepIndex + 1, rollout.plan.steps.length)} of ${rollout.plan.steps.length}`
  const weight = formatWeight(state.traffic.weights[rollout.plan.to.release] ?? 0)
  const startedAt = rollout.steps[rollout.stepIndex]?.startedAt
  const since = startedAt === null || startedAt === undefined ? '' : ` for ${formatDuration(Math.floor(Math.max(0, now - startedAt) / 1000) * 1000)}`
  if (phase.paused !== null) return `${where}: paused at ${weight}. ${capital(phase.paused.reason.message)}.`
  return `${where}: ${step}, ${weight} of traffic${since}${waitingOn === null ? '' : `; waits for ${waitingOn.message}`}`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, '')

/** Each action with whether it is possible now and, if not, why. */
export function actionsOf(state: ServiceState): ActionView[] {
  const { rollout } = state
  const phase = rollout?.phase
  const active = rollout !== null && phase?.kind !== 'ended'
  const idle = 'no rollout is in progress'
  const back = phase?.kind === 'returning' ? 'the candidate is on its way back' : null
  const isStable = active && state.stable?.release === rollout.plan.to.release ? 'the candidate is stable already' : null
  const kind = active ? rollout.plan.steps[rollout.stepIndex]?.step.kind : undefined
  const paused = phase?.kind === 'running' && phase.paused !== null
  const say = (name: ActionView['name'], whyNot: string | null): ActionView => ({ name, allowed: whyNot === null, whyNot })
  const inSteps = !active ? idle : (back ?? isStable)
  const watching = active && isWatching(rollout) ? 'all traffic is on the candidate already' : null
  const skippable = kind === 'observe' || kind === 'watch' || paused ? null : 'the step has to be finished first'
  return [
    say('promote', inSteps ?? skippable),
    say('promote-full', inSteps ?? watching),
    say('pause', inSteps ?? watching ?? (paused ? 'it is paused' : null)),
    say('resume', inSteps ?? (paused ? null : 'it is not paused')),
    say('abort', inSteps),
    say('rollback', active ? (back ?? isStable) : state.previous.length === 0 ? 'there is no earlier stable release' : null),
    say('deploy', null),
  ]
}
