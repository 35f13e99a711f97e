import { ANALYSIS_METHOD } from '../analysis/method.ts'
import { formatDuration } from '../shared/duration.ts'
import { isBatched } from './batches/planned.ts'
import { areRoutesDecided, decidedRoutes } from './decided-routes.ts'
import { supersede } from './deploy.ts'
import { forgetOldTroubles } from './effect-answer.ts'
import type { Event } from './event.ts'
import { evolveAll } from './evolve.ts'
import { isDriftHeld, isFrozen, isHeld } from './hold.ts'
import { candidateSet, judgeRollout } from './judging/judge-rollout.ts'
import { beginLightWatch, endLightWatch } from './light-watch/see-light-watch.ts'
import { holdsBegin } from './may-begin.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import { isClosed } from './recreate/closing.ts'
import { isWayBack, refusalOf } from './refusal.ts'
import { continueReturn } from './return.ts'
import { isCandidateStable, isWatching } from './rollout-position.ts'
import { settleDrift } from './see-routes.ts'
import { setUpkeep } from './set-upkeep.ts'
import { shadowingNow } from './shadow/shadowing.ts'
import type { Moment } from './stage-context.ts'
import { continueStep } from './stages.ts'
import type { QueuedRollout, RolloutState, ServiceState } from './state.ts'
import { failCandidate } from './turn-back.ts'

/** A decision that does not come to rest within this many rounds is a bug, not a long plan. */
const ROUND_LIMIT = 200
/**
 * A clock that stands this far before the start of the step was set back: the step's time begins anew. Only who looks after
 * the stream may say so: a command can come through another controller, whose clock may be the wrong one.
 */
const CLOCK_TOLERANCE_MS = 1000

/**
 * Everything that follows from the state by itself at this moment: steps that are done, verdicts that are due, routes
 * that must change. Applied until nothing follows any more.
 */
export function advance(state: ServiceState, moment: Moment): Event[] {
  const events: Event[] = []
  let current = state
  for (let round = 0; round < ROUND_LIMIT; round += 1) {
    const next = nextEvents(current, moment)
    if (next.length === 0) return events
    events.push(...next)
    current = evolveAll(current, next)
  }
  const last = events.slice(-3).map(({ kind }) => kind)
  throw new Error(`the state of ${state.stream} does not come to rest: ${last.join(', ')}`)
}

function nextEvents(state: ServiceState, moment: Moment): Event[] {
  const { now } = moment
  const routes = changedRoutes(state, now)
  if (routes.length > 0) return routes
  const upkeep = [...forgetOldTroubles(state, now), ...setUpkeep(state, moment)]
  if (upkeep.length > 0) return upkeep
  const { rollout } = state
  if (rollout === null || rollout.phase.kind === 'ended') {
    const over = endLightWatch(state, moment)
    return over.length > 0 ? over : startQueued(state, now)
  }
  if (rollout.phase.kind === 'returning')
    return isDriftHeld(state)
      ? settleDrift(state, rollout.phase.reason, now)
      : continueReturn(state, rollout, rollout.phase, now)
  return continueRunning(state, rollout, moment)
}

function changedRoutes(state: ServiceState, now: number): Event[] {
  return areRoutesDecided(state)
    ? []
    : [{ kind: 'routes-decided', at: now, ...decidedRoutes(state), sequence: state.sequence + 1 }]
}

function startQueued(state: ServiceState, now: number): Event[] {
  const { queued } = state
  if (queued === null) return []
  const reason = whyNotStart(state, queued, now)
  if (reason !== null) return [{ kind: 'queue-dropped', at: now, rollout: queued.id, reason }]
  return holdsBegin(state, queued, now) === null
    ? [{ kind: 'rollout-started', at: now, rollout: queued, method: ANALYSIS_METHOD }]
    : []
}

function whyNotStart(state: ServiceState, { plan, order }: QueuedRollout, now: number): Reason | null {
  const { stable } = state
  const { version, release } = plan.to
  if (stable?.release === release) return dropped('ALREADY_STABLE', `${version} is stable already`)
  const refusal = refusalOf(state, { release, order }, now)
  if (refusal !== null) return dropped(refusal.code, refusal.message.replace(/\.$/, ''))
  // A plan without stages was made while nothing (or this release itself) was stable; it would skip every check now.
  const fits = plan.kind === 'first' ? stable === null : plan.kind !== 'none'
  if (fits) return null
  const message = `the plan of ${version} was made when ${plan.from?.version ?? 'nothing'} was stable and has no stages; deploy it again`
  return dropped('PLAN_MOVED', message)
}

const dropped = (code: string, message: string): Reason => ({ code, message, evidence: {}, actor: ENGINE })

function continueRunning(state: ServiceState, rollout: RolloutState, moment: Moment): Event[] {
  const { now } = moment
  const index = rollout.stepIndex
  const planned = rollout.plan.steps[index]
  if (planned === undefined) return finish(state, rollout, now)
  const judged = judgement(state, rollout, now)
  if (judged !== null) return judged
  const replaced = takenOver(state, rollout, now)
  if (replaced.length > 0 || isHeld(state, rollout)) return replaced
  const startedAt = rollout.steps[index]?.startedAt ?? null
  if (startedAt === null || (moment.looked && now < startedAt - CLOCK_TOLERANCE_MS))
    return [{ kind: 'step-started', at: now, index }]
  const reason = skippedByHand(rollout)
  if (reason !== null) return [{ kind: 'step-finished', at: now, index, skipped: true, reason }]
  return continueStep(state, rollout, { step: planned.step, startedAt, ...moment })
}

/** Critical triggers roll back at any step in which the candidate may have traffic, until it is stable itself. */
function judgement(state: ServiceState, rollout: RolloutState, now: number): Event[] | null {
  const hasTraffic = (state.traffic.weights[rollout.plan.to.release] ?? 0) > 0
  if (
    (!hasTraffic && shadowingNow(rollout) === null) ||
    rollout.plan.kind !== 'deploy' ||
    isCandidateStable(state, rollout)
  )
    return null
  const judged = judgeRollout(rollout, candidateSet(state))
  if (judged.kind === 'critical') return failCandidate(state, rollout, judged.reason, now)
  if (isFrozen(state, rollout) && rollout.settings.onFreeze === 'return')
    return [{ kind: 'return-started', at: now, outcome: 'aborted', reason: frozen(state), problem: null }]
  const mayPause = rollout.phase.kind === 'running' && rollout.phase.paused === null && !isWatching(rollout)
  if (judged.kind === 'warning' && mayPause)
    return [{ kind: 'rollout-paused', at: now, reason: judged.reason, checks: judged.checks }]
  return null
}

/** A release that had to wait for its time, a freeze or the hours takes the place of one in its steps, as any newer one does. */
function takenOver(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const { queued } = state
  if (queued === null || isWatching(rollout) || isCandidateStable(state, rollout) || isClosed(state))
    return []
  return holdsBegin(state, queued, now) === null ? supersede(state, queued, now) : []
}

/** A jump, or a full promotion, skips the stages before its step, never readiness, checks or the watch; who asked for it is the reason. */
function skippedByHand({ skipTo, plan, stepIndex }: RolloutState): Reason | null {
  const kind = plan.steps[stepIndex]?.step.kind
  // Batches cannot be left out, only what is waited for between them.
  const maySkip = kind === 'gate' || kind === 'observe' || (kind === 'traffic' && !isBatched(plan))
  return skipTo !== null && stepIndex < skipTo.index && maySkip ? skipTo.reason : null
}

const frozen = ({ freeze }: ServiceState): Reason => ({
  code: 'FROZEN',
  message: `the environment was frozen by ${freeze?.who ?? 'somebody'}: ${freeze?.reason ?? ''}`,
  evidence: { until: freeze?.until ?? null },
  actor: ENGINE,
})

/** Whoever reads the outcome must know that nothing was compared before everybody got the candidate. */
const shortcutText = ({ plan, skipTo, actor }: RolloutState): string => {
  if (plan.strategy === 'full') return `; ${actor.name} took it to 100% without stages and checks`
  return skipTo === null ? '' : '; stages were cut short by hand'
}

function finish(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const { version } = rollout.plan.to
  const again = isWayBack(rollout.order) ? ' again' : ''
  const took = formatDuration(Math.max(0, now - rollout.startedAt))
  const reason: Reason = {
    code: 'PROMOTED',
    message: `${version} is stable${again} and takes all traffic after ${took}${shortcutText(rollout)}`,
    evidence: { stable: state.stable?.release ?? null },
    actor: rollout.reason.actor,
  }
  return [
    { kind: 'outcome-reached', at: now, outcome: 'promoted', reason, trafficOffMs: null },
    ...beginLightWatch(rollout, now),
  ]
}
