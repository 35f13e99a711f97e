import type { Step } from '../plan/plan.ts'
import { formatDuration } from '../shared/duration.ts'
import { problem } from '../shared/problem.ts'
import { formatWeight, TOTAL_PERMILLE } from '../shared/weight.ts'
import type { Event } from './event.ts'
import { evolveAll } from './evolve.ts'
import { candidateSet, criteriaOf, judgeRollout, lastWords } from './judge-rollout.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import { everythingTo, livingInstances, readyInstances, routesOf, sameRoutes } from './routing.ts'
import type { RolloutState, ServiceState, SetState } from './state.ts'

/** A decision that does not come to rest within this many rounds is a bug, not a long plan. */
const ROUND_LIMIT = 200
/** A drain that the router does not report as done is given up this long after its own limits. */
const DRAIN_MARGIN_MS = 10_000

/**
 * Everything that follows from the state by itself at this time: steps that are done, verdicts that are due, routes
 * that must change. Applied until nothing follows any more.
 */
export function advance(state: ServiceState, now: number): Event[] {
  const events: Event[] = []
  let current = state
  for (let round = 0; round < ROUND_LIMIT; round += 1) {
    const next = nextEvents(current, now)
    if (next.length === 0) return events
    events.push(...next)
    current = evolveAll(current, next)
  }
  throw new Error(`the state of ${state.stream} does not come to rest: ${events.slice(-3).map(({ kind }) => kind).join(', ')}`)
}

function nextEvents(state: ServiceState, now: number): Event[] {
  const routes = changedRoutes(state, now)
  if (routes.length > 0) return routes
  const upkeep = setUpkeep(state, now)
  if (upkeep.length > 0) return upkeep
  const { rollout } = state
  if (rollout === null || rollout.phase.kind === 'ended') return startQueued(state, now)
  if (rollout.phase.kind === 'returning') return continueReturn(state, rollout, rollout.phase, now)
  return continueRunning(state, rollout, now)
}

function changedRoutes(state: ServiceState, now: number): Event[] {
  const routes = routesOf(state)
  if (sameRoutes(routes, state.traffic.routes)) return []
  return [{ kind: 'routes-decided', at: now, routes, sequence: state.sequence + 1 }]
}

/** Sets that are no longer wanted leave in order: hold, drain, stop, gone. */
function setUpkeep(state: ServiceState, now: number): Event[] {
  for (const set of state.sets) {
    if (set.role === 'held' && set.releaseAt !== null && now >= set.releaseAt) return [{ kind: 'set-retiring', at: now, release: set.release }]
    if (set.stage === 'releasing' && set.letGoAccepted) return [{ kind: 'set-gone', at: now, release: set.release }]
    if (set.stage === 'stopping' && set.letGoAccepted && livingInstances(set).length === 0) return [{ kind: 'set-gone', at: now, release: set.release }]
    if (set.role === 'retiring' && set.stage === 'wanted' && isRollingOver(state, set) === false && isDrained(state, set))
      return [{ kind: 'set-stopping', at: now, release: set.release, sequence: state.sequence + 1 }]
  }
  return []
}

/** The steps of a running rollout retire the old set themselves, so that its drain is part of the record. */
const isRollingOver = (state: ServiceState, set: SetState): boolean =>
  state.rollout?.phase.kind === 'running' && state.rollout.plan.from?.release === set.release

function startQueued(state: ServiceState, now: number): Event[] {
  const { queued } = state
  if (queued === null) return []
  if (state.stable?.release === queued.plan.to.release) {
    const reason: Reason = { code: 'ALREADY_STABLE', message: `${queued.plan.to.version} is stable already`, evidence: {}, actor: ENGINE }
    return [{ kind: 'queue-dropped', at: now, rollout: queued.id, reason }]
  }
  return [{ kind: 'rollout-started', at: now, rollout: queued }]
}

// ---- running ------------------------------------------------------------------------------------------------------

function continueRunning(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const planned = rollout.plan.steps[rollout.stepIndex]
  if (planned === undefined) return finish(state, rollout, now)
  const progress = rollout.steps[rollout.stepIndex]
  const judged = judgement(state, rollout, now)
  if (judged !== null) return judged
  if (rollout.phase.kind === 'running' && rollout.phase.paused !== null) return []
  if (progress?.state === 'planned') return [{ kind: 'step-started', at: now, index: rollout.stepIndex }]
  if (isSkippedByHand(rollout)) return [{ kind: 'step-finished', at: now, index: rollout.stepIndex, skipped: true, reason: rollout.reason }]
  const startedAt = progress?.startedAt ?? now
  return continueStep(state, rollout, { step: planned.step, startedAt, now })
}

/** Critical triggers roll back at any step in which the candidate may have traffic, until it is stable itself. */
function judgement(state: ServiceState, rollout: RolloutState, now: number): Event[] | null {
  const candidateHasTraffic = (state.traffic.weights[rollout.plan.to.release] ?? 0) > 0
  if (!candidateHasTraffic || rollout.plan.kind !== 'canary' || state.stable?.release === rollout.plan.to.release) return null
  const judged = judgeRollout(rollout, candidateSet(state))
  if (judged.kind === 'critical') return [{ kind: 'return-started', at: now, outcome: 'rolled_back', reason: judged.reason, problem: null }]
  const mayPause = rollout.phase.kind === 'running' && rollout.phase.paused === null && !isWatching(rollout)
  if (judged.kind === 'warning' && mayPause) return [{ kind: 'rollout-paused', at: now, reason: judged.reason, checks: judged.checks }]
  return null
}

export const isWatching = (rollout: RolloutState): boolean => {
  const kind = rollout.plan.steps[rollout.stepIndex]?.step.kind
  return kind === 'watch' || kind === 'promote' || kind === 'drain' || kind === 'retire'
}

/** A full promotion skips the stages before the last change of weight, never readiness and never the watch. */
function isSkippedByHand({ fullPromotion, plan, stepIndex }: RolloutState): boolean {
  const kind = plan.steps[stepIndex]?.step.kind
  const last = plan.steps.findLastIndex(({ step }) => step.kind === 'traffic')
  return fullPromotion && stepIndex < last && (kind === 'traffic' || kind === 'observe')
}

type StepContext = { step: Step; startedAt: number; now: number }

function continueStep(state: ServiceState, rollout: RolloutState, context: StepContext): Event[] {
  const { step, startedAt, now } = context
  switch (step.kind) {
    case 'provision':
      return provision(state, rollout, { step, startedAt, now })
    case 'traffic':
      return shiftTraffic(state, rollout, { step, startedAt, now })
    case 'observe':
      return observe(rollout, { step, startedAt, now })
    case 'watch':
      return now - startedAt >= step.durationMs ? done(rollout, now, `watched for ${formatDuration(step.durationMs)} without a critical trigger`) : []
    case 'promote':
      return promote(state, rollout, now)
    case 'drain':
      return drainOld(state, rollout, { step, startedAt, now })
    case 'retire':
      return retireOld(state, rollout, now)
  }
}

type ContextOf<K extends Step['kind']> = { step: Extract<Step, { kind: K }>; startedAt: number; now: number }

function provision(state: ServiceState, rollout: RolloutState, { step, startedAt, now }: ContextOf<'provision'>): Event[] {
  const set = candidateSet(state)
  if (set === undefined) return [wantCandidate(state, rollout, { replicas: step.replicas, now })]
  if (set.role === 'held' || set.role === 'retiring') return clearAway(set, now)
  const ready = readyInstances(set).length
  if (ready >= neededReady(rollout)) return done(rollout, now, `${ready} of ${set.replicas} instances are ready`)
  const overdue = now - startedAt >= step.deadlineMs
  const hopeless = set.instances.some(({ state }) => state === 'failed')
  return overdue || hopeless ? neverReady(state, rollout, { set, ready, now }) : []
}

/** What is left of an earlier attempt goes first: a retry starts with fresh instances and fresh counts. */
function clearAway(set: SetState, now: number): Event[] {
  if (set.role === 'held') return [{ kind: 'set-retiring', at: now, release: set.release }]
  return []
}

function wantCandidate(state: ServiceState, rollout: RolloutState, { replicas, now }: { replicas: number; now: number }): Event {
  const { release, version } = rollout.plan.to
  const adoption = state.sets.find((set) => set.release === release)?.adoption ?? rollout.adoption
  return { kind: 'set-wanted', at: now, release, version, replicas, adoption, role: 'candidate', sequence: state.sequence + 1 }
}

/** Instances that must be ready before the candidate gets (more) traffic: S20's threshold, all of them by default. */
export const neededReady = (rollout: RolloutState): number =>
  Math.max(1, Math.ceil((rollout.settings.run.replicas * rollout.settings.strategy.readyPercent) / 100))

function neverReady(state: ServiceState, rollout: RolloutState, { set, ready, now }: { set: SetState; ready: number; now: number }): Event[] {
  const { version } = rollout.plan.to
  const instance = set.instances.find(({ state }) => state !== 'ready')
  const message = `${version} never became ready: ${ready} of ${set.replicas} instances within ${formatDuration(rollout.settings.health.deadlineMs)}${lastWords(set)}`
  const lines = instance?.logTail.slice(-5) ?? []
  const reason: Reason = { code: 'NEVER_READY', message, evidence: { instance: instance?.id, probe: instance?.lastProbeFailure?.message, exit: instance?.lastExit, log: lines }, actor: ENGINE }
  const cause = lines.length > 0 ? `Last lines of ${instance?.id ?? 'the instance'}: ${lines.join(' | ')}` : undefined
  const trouble = problem('NEVER_READY', { message, cause, remedy: `See its output with "sluice logs --release ${rollout.plan.to.release}", mend it, deploy again. Traffic stayed where it was.` })
  const outcome = state.stable === null || rollout.plan.kind === 'rollback' ? 'failed' : 'rolled_back'
  return [{ kind: 'return-started', at: now, outcome, reason, problem: trouble }]
}

function shiftTraffic(state: ServiceState, rollout: RolloutState, { step, now }: ContextOf<'traffic'>): Event[] {
  const { release } = rollout.plan.to
  const wanted = weightsFor(state, rollout, step.weightPermille)
  const current = state.traffic.weights
  if (!sameWeights(current, wanted)) {
    if (readyInstances(candidateSet(state)).length < neededReady(rollout)) return []
    const reason: Reason = { code: 'STEP', message: `${rollout.plan.to.version} gets ${formatWeight(step.weightPermille)} of traffic`, evidence: { weightPermille: step.weightPermille }, actor: ENGINE }
    return [{ kind: 'weights-decided', at: now, weights: wanted, reason }]
  }
  const { confirmed } = state.traffic
  if (!isConfirmed(state) || (confirmed?.weights[release] ?? 0) !== step.weightPermille) return []
  return done(rollout, now, `the router confirmed ${formatWeight(step.weightPermille)} for ${rollout.plan.to.version}`)
}

function weightsFor(state: ServiceState, rollout: RolloutState, weightPermille: number): Record<string, number> {
  const others = Object.fromEntries(state.sets.filter((set) => set.release in state.traffic.weights).map((set) => [set.release, 0]))
  const { release } = rollout.plan.to
  const stable = state.stable?.release
  if (stable === undefined || stable === release) return { ...others, [release]: TOTAL_PERMILLE }
  return { ...others, [stable]: TOTAL_PERMILLE - weightPermille, [release]: weightPermille }
}

const sameWeights = (a: Record<string, number>, b: Record<string, number>): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every((release) => (a[release] ?? 0) === (b[release] ?? 0))

/** The routes in force are the ones decided last, by this controller. */
export const isConfirmed = (state: ServiceState): boolean => {
  const { confirmed, sequence } = state.traffic
  return confirmed !== null && confirmed.sequence === sequence && confirmed.epoch === state.epoch && sameRoutes(routesOf(state), state.traffic.routes)
}

function observe(rollout: RolloutState, { step, startedAt, now }: ContextOf<'observe'>): Event[] {
  if (step.durationMs === null || now - startedAt < step.durationMs) return []
  if (rollout.sourceFailures !== null) return []
  const criteria = criteriaOf(rollout)
  if (criteria.some(({ met }) => met !== true)) return []
  const { requests } = rollout.atStep.candidate
  if (requests === 0) return []
  return done(rollout, now, `${formatDuration(now - startedAt)} and ${requests} requests at this weight, ${criteria.length} criteria met`)
}

function promote(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const { release, version } = rollout.plan.to
  if (state.stable?.release === release) return done(rollout, now, `${version} is stable`)
  if (readyInstances(candidateSet(state)).length < neededReady(rollout)) return []
  return [{ kind: 'stable-changed', at: now, release, version }]
}

const oldSets = (state: ServiceState, rollout: RolloutState): SetState[] =>
  state.sets.filter((set) => set.release !== rollout.plan.to.release && (set.role === 'warm' || set.role === 'retiring' || set.role === 'held'))

function drainOld(state: ServiceState, rollout: RolloutState, { startedAt, now }: ContextOf<'drain'>): Event[] {
  const warm = oldSets(state, rollout).find((set) => set.role !== 'retiring')
  if (warm !== undefined) return [{ kind: 'set-retiring', at: now, release: warm.release }]
  const old = oldSets(state, rollout)
  const { requestsMs, websocketsMs } = rollout.settings.drain
  const overdue = now - startedAt >= Math.max(requestsMs, websocketsMs) + DRAIN_MARGIN_MS
  if (!overdue && !old.every((set) => isDrained(state, set))) return []
  return done(rollout, now, old.length === 0 ? 'there was no old set' : `nothing runs on ${old.map(({ version }) => version).join(', ')} any more`)
}

/** The router confirmed routes without new work for the set, and reports nothing in flight on it. */
const isDrained = (state: ServiceState, set: SetState): boolean =>
  isConfirmed(state) && (state.traffic.weights[set.release] ?? 0) === 0 && livingInstances(set).every(({ id }) => !state.busy.includes(id))

function retireOld(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const old = oldSets(state, rollout)
  const running = old.find((set) => set.stage === 'wanted')
  if (running !== undefined) return [{ kind: 'set-stopping', at: now, release: running.release, sequence: state.sequence + 1 }]
  return old.length > 0 ? [] : done(rollout, now, 'the old instances are gone')
}

function done(rollout: RolloutState, now: number, message: string): Event[] {
  const reason: Reason = { code: 'STEP_DONE', message, evidence: {}, actor: ENGINE }
  return [{ kind: 'step-finished', at: now, index: rollout.stepIndex, skipped: false, reason }]
}

function finish(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const { version } = rollout.plan.to
  const since = formatDuration(now - rollout.startedAt)
  const reason: Reason = { code: 'PROMOTED', message: `${version} is stable and takes all traffic after ${since}`, evidence: { stable: state.stable?.release }, actor: rollout.reason.actor }
  return [{ kind: 'outcome-reached', at: now, outcome: 'promoted', reason, trafficOffMs: null }]
}

// ---- returning ----------------------------------------------------------------------------------------------------

type Returning = Extract<RolloutState['phase'], { kind: 'returning' }>

/** Traffic first: everything to stable, confirmed; then the outcome; then the candidate is held and let go. */
function continueReturn(state: ServiceState, rollout: RolloutState, phase: Returning, now: number): Event[] {
  const { release } = rollout.plan.to
  if ((state.traffic.weights[release] ?? 0) > 0) return trafficBack(state, rollout, phase, now)
  const set = candidateSet(state)
  if (set?.role === 'candidate') return [letGo(rollout, phase, now)]
  if ((state.traffic.confirmed !== null || state.stable !== null) && Object.keys(state.traffic.weights).length > 0 && !isConfirmed(state)) return []
  const confirmedAt = state.traffic.confirmed?.at ?? now
  const hadTraffic = rollout.steps.some((step, index) => rollout.plan.steps[index]?.step.kind === 'traffic' && step.state !== 'planned')
  const trafficOffMs = hadTraffic ? Math.max(0, confirmedAt - phase.since) : null
  return [{ kind: 'outcome-reached', at: now, outcome: phase.outcome, reason: phase.reason, trafficOffMs }]
}

function trafficBack(state: ServiceState, rollout: RolloutState, phase: Returning, now: number): Event[] {
  const { stable } = state
  const { release } = rollout.plan.to
  if (stable === null) return [{ kind: 'weights-decided', at: now, weights: {}, reason: phase.reason }]
  const stableReady = readyInstances(state.sets.find((set) => set.release === stable.release)).length > 0
  const candidateReady = readyInstances(candidateSet(state)).length > 0
  // Stable has nothing ready and the candidate still answers: a bad answer is better than none, so the return waits.
  if (!stableReady && candidateReady) return []
  return [{ kind: 'weights-decided', at: now, weights: everythingTo(stable.release, [release]), reason: phase.reason }]
}

/** A superseded candidate leaves at once; an aborted one stays a while for inspection. */
function letGo(rollout: RolloutState, phase: Returning, now: number): Event {
  const { release } = rollout.plan.to
  const { holdMs } = rollout.settings.strategy
  if (phase.outcome === 'superseded' || phase.outcome === 'failed') return { kind: 'set-retiring', at: now, release }
  return { kind: 'set-held', at: now, release, until: holdMs === null ? null : now + holdMs }
}
