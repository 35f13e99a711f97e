import type { Problem } from '../shared/problem.ts'
import { problem } from '../shared/problem.ts'
import type { Result } from '../shared/result.ts'
import { failed, ok } from '../shared/result.ts'
import { formatWeight } from '../shared/weight.ts'
import type { Command } from './command.ts'
import type { Event } from './event.ts'
import { isDriftHeld, whyHeld } from './hold.ts'
import type { Actor, Reason } from './reason.ts'
import { isClosed } from './recreate/closing.ts'
import { isFailed, isWatching, runningRollout } from './rollout-position.ts'
import { settleDrift } from './see-routes.ts'
import type { QueuedRollout, RolloutState, ServiceState } from './state.ts'
import { skipStep } from './step-done.ts'

type ByHand = { actor: Actor; note: string }

const byHand = (code: string, verb: string, { actor, note }: ByHand): Reason => ({
  code,
  message: note === '' ? `${verb} by ${actor.name}` : `${verb} by ${actor.name}: ${note}`,
  evidence: note === '' ? {} : { note },
  actor,
})

export function promote(
  state: ServiceState,
  command: Extract<Command, { kind: 'promote' }>,
  now: number,
): Result<Event[]> {
  const current = runningRollout(state)
  if (current === null) return failed(nothingInProgress(state, 'promote'))
  if (current.phase.kind === 'returning')
    return failed(
      notNow('promote', `${current.plan.to.version} is on its way back (${current.reason.message})`),
    )
  const held = isFailed(current) ? itFailed(current) : whyHeld(state, current)
  if (held !== null) return failed(notNow('promote', held))
  const resumed: Event[] =
    current.phase.kind === 'running' && current.phase.paused !== null
      ? [{ kind: 'rollout-resumed', at: now, reason: byHand('RESUMED', 'resumed', command) }]
      : []
  const kind = current.plan.steps[current.stepIndex]?.step.kind
  if (command.full) {
    // Never the end of the watch: who orders all traffic may be a moment too late to know that it is there already.
    if (isWatching(current)) return failed(notNow('promote', 'all traffic is on the candidate already'))
    return ok([
      ...resumed,
      {
        kind: 'full-promotion-asked',
        at: now,
        reason: byHand('PROMOTED_BY_HAND', 'promoted all the way', command),
      },
    ])
  }
  if (kind === 'gate' || kind === 'observe' || kind === 'watch')
    return ok([...resumed, skipStep(current, byHand('PROMOTED_BY_HAND', 'promoted the step', command), now)])
  if (resumed.length > 0) return ok(resumed)
  return failed(
    notNow(
      'promote',
      `step ${current.stepIndex + 1} (${current.plan.steps[current.stepIndex]?.label ?? 'end'}) has to be finished first`,
    ),
  )
}

/** To the step with this share, ahead or back: what lies between is skipped, or begins anew. */
export function jump(
  state: ServiceState,
  { weightPermille, ...command }: Extract<Command, { kind: 'jump' }>,
  now: number,
): Result<Event[]> {
  const current = runningRollout(state)
  if (current === null) return failed(nothingInProgress(state, 'jump'))
  const why = whyNoJump(state, current)
  if (why !== null) return failed(notNow('jump', why))
  const { steps } = current.plan
  const index = steps.findIndex(
    ({ step }) => step.kind === 'traffic' && step.weightPermille === weightPermille,
  )
  if (index < 0) return failed(noSuchStep(current, weightPermille))
  if (index === trafficIndex(current))
    return failed(notNow('jump', `${current.plan.to.version} is at ${formatWeight(weightPermille)} already`))
  const reason = byHand('JUMPED', `taken to ${formatWeight(weightPermille)}`, command)
  const isPaused = current.phase.kind === 'running' && current.phase.paused !== null
  const resumed: Event[] = isPaused ? [{ kind: 'rollout-resumed', at: now, reason }] : []
  return ok([...resumed, { kind: 'jump-asked', at: now, index, reason }])
}

/** Why no other step can be gone to now, or `null`. */
export function whyNoJump(state: ServiceState, current: RolloutState): string | null {
  const { version } = current.plan.to
  if (current.phase.kind === 'returning') return `${version} is on its way back (${current.reason.message})`
  if (state.stable?.release === current.plan.to.release) return `${version} is stable already`
  const others = current.plan.steps.filter(
    ({ step }, index) => step.kind === 'traffic' && index !== trafficIndex(current),
  )
  if (others.length === 0) return 'the plan has no other step with a share of traffic'
  return isFailed(current) ? itFailed(current) : whyHeld(state, current)
}

/** The change of traffic that is in force, or on its way; -1 before the first. */
const trafficIndex = ({ plan, stepIndex }: RolloutState): number =>
  plan.steps.slice(0, stepIndex + 1).findLastIndex(({ step }) => step.kind === 'traffic')

function noSuchStep({ plan }: RolloutState, weightPermille: number): Problem {
  const weights = plan.steps.flatMap(({ step }) =>
    step.kind === 'traffic' ? [formatWeight(step.weightPermille)] : [],
  )
  return problem('NO_SUCH_STEP', {
    message: `The plan of ${plan.to.version} has no step of ${formatWeight(weightPermille)}.`,
    remedy: `Name one that it has: ${weights.join(', ')}. All traffic goes back with "sluice abort".`,
  })
}

export function pause(state: ServiceState, command: ByHand, now: number): Result<Event[]> {
  const current = runningRollout(state)
  if (current === null) return failed(nothingInProgress(state, 'pause'))
  if (current.phase.kind !== 'running')
    return failed(notNow('pause', `${current.plan.to.version} is on its way back`))
  if (current.phase.paused !== null) return ok([])
  if (isWatching(current))
    return failed(notNow('pause', 'all traffic is on the candidate already; the watch only waits'))
  const closed = whyNoPause(state, current)
  if (closed !== null) return failed(notNow('pause', closed))
  return ok([{ kind: 'rollout-paused', at: now, reason: byHand('PAUSED', 'paused', command), checks: [] }])
}

export function resume(state: ServiceState, command: ByHand, now: number): Result<Event[]> {
  const current = runningRollout(state)
  const reason = byHand('RESUMED', 'resumed', command)
  const settled = isDriftHeld(state) ? settleDrift(state, reason, now) : []
  if (settled.length > 0 && (current === null || isFailed(current))) return ok(settled)
  if (current === null) return failed(nothingInProgress(state, 'resume'))
  if (current.phase.kind !== 'running')
    return failed(notNow('resume', `${current.plan.to.version} is on its way back`))
  if (current.phase.paused === null) return ok(settled)
  if (isFailed(current)) return failed(notNow('resume', itFailed(current)))
  return ok([...settled, { kind: 'rollout-resumed', at: now, reason }])
}

/** Nobody is served, so there is nothing to hold: the ways out are on and back. `null` where that is not so. */
export const whyNoPause = (state: ServiceState, { plan }: RolloutState): string | null =>
  isClosed(state)
    ? `nobody is served until ${plan.to.version} is ready, and a pause would only make that longer; an abort goes back to ${state.stable?.version ?? 'stable'}`
    : null

type GiveUp = { outcome: 'aborted' | 'rolled_back'; code: string; verb: string }

/** Always allowed in the direction of stable, at any moment before the candidate is stable itself. */
export function giveUp(
  state: ServiceState,
  { outcome, code, verb }: GiveUp,
  command: ByHand,
  now: number,
): Result<Event[]> {
  const current = runningRollout(state)
  if (current === null && outcome === 'aborted' && state.queued !== null)
    return ok([cancelled(state.queued, command, now)])
  if (current === null) return failed(nothingInProgress(state, outcome === 'aborted' ? 'abort' : 'rollback'))
  if (current.phase.kind === 'returning') return ok([])
  if (state.stable?.release === current.plan.to.release)
    return failed(
      notNow(
        outcome === 'aborted' ? 'abort' : 'rollback',
        `${current.plan.to.version} is stable already and the old set is being retired; wait for the end, then use "sluice rollback"`,
      ),
    )
  const reason = byHand(code, `${verb} ${current.plan.to.version}`, command)
  return ok([
    {
      kind: 'return-started',
      at: now,
      outcome: state.stable === null ? 'aborted' : outcome,
      reason,
      problem: null,
    },
  ])
}

/** Nothing is in progress: what a person gives up is the release that waits to begin. */
function cancelled({ id, plan }: QueuedRollout, command: ByHand, now: number): Event {
  const reason = byHand('CANCELLED', `${plan.to.version} was cancelled before it began`, command)
  return { kind: 'queue-dropped', at: now, rollout: id, reason }
}

export function unadopt(state: ServiceState, command: ByHand, now: number): Result<Event[]> {
  if (runningRollout(state) !== null) return failed(notNow('unadopt', 'a rollout is in progress'))
  const set = state.sets.find(({ release }) => release === state.stable?.release)
  if (set === undefined || set.adoption === null)
    return failed(
      problem('NOT_ADOPTED', {
        message: `${state.stream} is not an adopted service.`,
        remedy:
          'Only a service that was taken over with "sluice adopt" can be given back. To stop one of ours: sluice down.',
      }),
    )
  return ok([
    {
      kind: 'control-released',
      at: now,
      reason: byHand('RELEASED', 'given back', command),
      sequence: state.sequence + 1,
    },
  ])
}

const itFailed = ({ plan, reason }: RolloutState): string =>
  `${plan.to.version} failed and is held where it is (${reason.message}); abort it, or deploy a version that mends it`

const nothingInProgress = (state: ServiceState, verb: string): Problem =>
  problem('NOTHING_IN_PROGRESS', {
    message: `No rollout of ${state.stream} is in progress, so there is nothing to ${verb}.`,
    remedy:
      verb === 'rollback'
        ? 'Name an earlier release: sluice rollback --to VERSION (see "sluice release list").'
        : 'See "sluice status".',
  })

const notNow = (verb: string, why: string): Problem =>
  problem('NOT_ALLOWED_NOW', {
    message: `Cannot ${verb} now: ${why}.`,
    remedy: 'See "sluice status" for what is possible.',
  })
