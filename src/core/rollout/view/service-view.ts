import { healthTargets } from '../../analysis/health-targets.ts'
import { figuresOfUse } from '../../analysis/resources/use-sums.ts'
import type { ServiceSettings } from '../../release/settings.ts'
import { sharedBy, shareText } from '../../release/worker.ts'
import { formatDuration } from '../../shared/duration.ts'
import type { RouterState } from '../../shared/router-state.ts'
import { formatWeight } from '../../shared/weight.ts'
import { abView } from '../ab/ab-view.ts'
import { isDriftHeld } from '../hold.ts'
import { candidateSet } from '../judging/judge-rollout.ts'
import { failingChecks } from '../judging/named-checks.ts'
import { newErrorViews } from '../judging/new-errors.ts'
import { queuedWaitingOn } from '../may-begin.ts'
import type { WaitingOn } from '../reason.ts'
import { breakerText } from '../refusal.ts'
import { isWatching } from '../rollout-position.ts'
import { readyInstances } from '../routing.ts'
import { servedToUsers } from '../shadow/count-shadow.ts'
import { shadowText, shadowView } from '../shadow/shadow-view.ts'
import type { RolloutState, ServiceState, SetState } from '../state.ts'
import { actionsOf } from './actions.ts'
import { checkViews } from './check-view.ts'
import { entryViews } from './entry-view.ts'
import { lightWatchView, lightWatchWarnings } from './light-watch-view.ts'
import { limitViews } from './limits-view.ts'
import { requestsLost } from './loss.ts'
import { routerViews } from './router-view.ts'
import { sideViews } from './side-view.ts'
import type { RolloutView, ServiceView, SetView, StepView, TimelineEntry } from './view.ts'
import { VIEW_SCHEMA_VERSION } from './view.ts'
import { waitingOnOf } from './waiting.ts'

export type ViewInput = {
  revision: number
  now: number
  timeline: TimelineEntry[]
  inFlight: Record<string, number>
  /** What limits of the service turned away, where it has any. */
  limited?: RouterState['limited'] | undefined
  /** What clients are shown, where it ends TLS. */
  certificate?: RouterState['certificate'] | undefined
}

/** The one picture that page, terminal and scripts see. */
export function serviceView(state: ServiceState, input: ViewInput): ServiceView {
  const [service = state.stream, environment = 'local'] = state.stream.split('.')
  const { settings } = state
  const { certificate } = input
  const besides = [
    ...sideViews(state),
    ...limitViews(state, input.limited),
    ...entryViews(settings, certificate),
    ...routerViews(state),
  ]
  return {
    schemaVersion: VIEW_SCHEMA_VERSION,
    asOf: input.now,
    revision: input.revision,
    stream: state.stream,
    service,
    environment,
    production: settings?.production ?? false,
    listen: listenText(settings?.listen),
    stable: state.stable,
    sets: state.sets.map((set) => setView(state, set, input)),
    rollout: state.rollout === null ? null : rolloutView(state, state.rollout, input.now),
    queued: queuedView(state, input.now),
    lightWatch: lightWatchView(state, input.now),
    freeze: state.freeze,
    drift: driftView(state),
    ...(besides.length === 0 ? {} : { besides }),
    ...(certificate === undefined ? {} : { certificate }),
    timeline: input.timeline,
    actions: actionsOf(state),
    warnings: [
      ...lightWatchWarnings(state, input.now),
      ...openBreaker(state, input.now),
      ...failingChecks(state),
      ...Object.values(state.troubles).map(({ message }) => message),
    ],
  }
}

function openBreaker(state: ServiceState, now: number): string[] {
  const text = breakerText(state, now)
  return text === null ? [] : [`${text} Nothing new is deployed until "sluice breaker close --reason TEXT".`]
}

function queuedView(state: ServiceState, now: number): ServiceView['queued'] {
  const { queued } = state
  if (queued === null) return null
  const { id, plan, actor, notBefore } = queued
  const { release, version } = plan.to
  const waitingOn = queuedWaitingOn(state, queued, now)
  return { release, version, rollout: id, actor: actor.name, notBefore, waitingOn }
}

function driftView(state: ServiceState): ServiceView['drift'] {
  const { drift, traffic } = state
  if (drift === null || !drift.held) return null
  const releases = [...new Set([...Object.keys(traffic.weights), ...Object.keys(drift.observed)])]
  return {
    since: drift.seenAt[0] ?? 0,
    times: drift.seenAt.length,
    weights: releases.map((release) => ({
      release,
      version: state.sets.find((set) => set.release === release)?.version ?? release,
      desiredPermille: traffic.weights[release] ?? 0,
      observedPermille: drift.observed[release] ?? 0,
    })),
  }
}

/** Read back from the router: as decided, or as somebody else left it; `null` while neither is certain. */
function observedWeight({ traffic, drift }: ServiceState, release: string): number | null {
  const seen = drift?.held === true ? drift.observed : traffic.confirmed?.weights
  return seen === undefined ? null : (seen[release] ?? 0)
}

function setView(state: ServiceState, set: SetState, { inFlight }: ViewInput): SetView {
  const { routes } = state.traffic
  const counted = set.instances.map(({ id }) => inFlight[id])
  const leaving = [...new Set([...set.leaving, ...set.dismissed])]
  return {
    release: set.release,
    version: set.version,
    role: set.role,
    leavesAt: set.releaseAt,
    wanted: set.replicas,
    ready: readyInstances(set).length,
    desiredWeightPermille: routes.find(({ release }) => release === set.release)?.weightPermille ?? 0,
    observedWeightPermille: observedWeight(state, set.release),
    inFlight: counted.every((count) => count === undefined)
      ? null
      : counted.reduce<number>((sum, count) => sum + (count ?? 0), 0),
    instances: set.instances,
    ...(leaving.length === 0 ? {} : { leaving }),
  }
}

export function rolloutView(state: ServiceState, rollout: RolloutState, now: number): RolloutView {
  const { plan, phase, loss } = rollout
  const waitingOn = waitingOnOf(state, rollout, now)
  const { release } = plan.to
  const ab = abView(rollout, now)
  const shadow = shadowView(rollout)
  const exposed = servedToUsers(rollout)
  return {
    id: rollout.id,
    attempt: rollout.attempt,
    stream: state.stream,
    service: plan.service,
    environment: plan.environment,
    from: plan.from,
    to: plan.to,
    strategy: plan.strategy,
    plan: { id: plan.id, hash: plan.hash },
    ...(plan.risk === undefined ? {} : { risk: plan.risk }),
    ...(plan.recommendation === undefined ? {} : { recommendation: plan.recommendation }),
    actor: rollout.actor.name,
    startedAt: rollout.startedAt,
    endedAt: phase.kind === 'ended' ? phase.at : null,
    state: stateOf(state, rollout, waitingOn),
    outcome: phase.kind === 'ended' ? phase.outcome : null,
    sentence: sentenceOf(state, rollout, { waitingOn, now }),
    reason: phase.kind === 'running' ? (phase.paused?.reason ?? rollout.reason) : phase.reason,
    waitingOn,
    step: {
      index: Math.min(rollout.stepIndex, Math.max(0, plan.steps.length - 1)),
      total: plan.steps.length,
    },
    steps: stepsOf(rollout),
    weight: {
      desiredPermille: state.traffic.weights[release] ?? 0,
      observedPermille: observedWeight(state, release),
    },
    sharedBy: sharedBy(rollout.settings),
    checks: plan.kind === 'deploy' ? checkViews(rollout, candidateSet(state)) : [],
    ...(ab === null ? {} : { ab }),
    ...(shadow === null ? {} : { shadow }),
    newErrors: newErrorViews(rollout),
    targets: healthTargets(rollout.settings.analysis.targets, {
      counts: exposed,
      use: figuresOfUse(rollout.resources.candidate),
    }),
    loss: {
      probes: loss.probes,
      probesLost: loss.probesLost,
      requests: loss.requests,
      requestsLost: requestsLost(rollout),
      ...(loss.closed === 0 ? {} : { closed: loss.closed }),
      cutOnDrain: loss.cutOnDrain,
    },
    exposure: { requests: exposed.requests, errors: exposed.errors },
    trafficOffMs: rollout.trafficOffMs,
    actions: actionsOf(state),
    problem: rollout.problem,
    before: rollout.before,
    checklist: rollout.checklist,
  }
}

function stateOf(
  state: ServiceState,
  rollout: RolloutState,
  waitingOn: WaitingOn | null,
): RolloutView['state'] {
  if (rollout.phase.kind === 'ended') return 'ended'
  if (rollout.phase.kind === 'returning') return 'returning'
  if (rollout.phase.paused !== null || isDriftHeld(state)) return 'paused'
  if (waitingOn?.kind === 'freeze') return 'waiting'
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

function sentenceOf(
  state: ServiceState,
  rollout: RolloutState,
  { waitingOn, now }: { waitingOn: WaitingOn | null; now: number },
): string {
  const { phase } = rollout
  const attempt = rollout.attempt === 1 ? '' : ` (attempt ${rollout.attempt})`
  const where = `${rollout.plan.service} ${rollout.plan.to.version} in ${rollout.plan.environment}${attempt}`
  if (phase.kind === 'ended')
    return `${where}: ${phase.outcome.replace('_', ' ')}. ${capital(phase.reason.message)}.`
  if (phase.kind === 'returning')
    return `${where}: going back to ${state.stable?.version ?? 'nothing'}. ${capital(phase.reason.message)}.`
  const step = `step ${Math.min(rollout.stepIndex + 1, rollout.plan.steps.length)} of ${rollout.plan.steps.length}`
  const weight = formatWeight(state.traffic.weights[rollout.plan.to.release] ?? 0)
  const startedAt = rollout.steps[rollout.stepIndex]?.startedAt
  const since =
    startedAt === null || startedAt === undefined
      ? ''
      : ` for ${formatDuration(Math.floor(Math.max(0, now - startedAt) / 1000) * 1000)}`
  if (phase.paused !== null) return `${where}: paused at ${weight}. ${capital(phase.paused.reason.message)}.`
  return `${where}: ${step}, ${shadowText(rollout) ?? `${weight} ${shareText(rollout.settings)}`}${since}${waitingOn === null ? '' : `; waiting: ${waitingOn.message}`}`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, '')

/** A worker listens nowhere. */
const listenText = (listen: ServiceSettings['listen'] | undefined): string =>
  listen === undefined ? '' : listen === null ? 'none' : `${listen.host}:${listen.port}`
