import { batchBetween, type CountsCursor, cursorOf, type SeenBeside } from '../analysis/counts-cursor.ts'
import type { Instance } from '../shared/instance.ts'
import { readyWithinMs } from '../shared/set-spec.ts'
import { seeVariants } from './ab/count-variants.ts'
import type { Observed } from './command.ts'
import type { Event } from './event.ts'
import { evolveAll } from './evolve.ts'
import { endedByTime, noteFreeze } from './freezing.ts'
import { isHeld } from './hold.ts'
import { observedUse } from './judging/count-resources.ts'
import { ejectionsSeen } from './judging/ejections.ts'
import { seeNamedChecks } from './judging/named-checks.ts'
import { seeErrors } from './judging/new-errors.ts'
import { seeLightWatch } from './light-watch/see-light-watch.ts'
import { seeFormer } from './see-former.ts'
import { isRouterAway, routerLooks, seeRouters } from './see-routers.ts'
import { sidesNow } from './shadow/shadowing.ts'
import type { RolloutState, ServiceState, SetState } from './state.ts'
import { healed, troubled } from './trouble-events.ts'
import { seeUntold } from './untold.ts'

/** Turns one look at the world into events. A look that shows nothing new makes none (INV9). */
export function observe(state: ServiceState, observed: Observed, now: number): Event[] {
  const events = seeParts(state, observed, now)
  let current = evolveAll(state, events)
  const looks = [
    seeFreeze,
    seeInstances,
    seeNamed,
    seeRouters,
    seeFormer,
    seeMetrics,
    seeVariants,
    seeLightWatch,
  ]
  for (const look of looks) {
    const seen = look(current, observed, now)
    events.push(...seen)
    current = evolveAll(current, seen)
  }
  const counted = events.find((event) => event.kind === 'metrics-observed')
  return [...events, ...seeErrors(current, observed, { batch: counted?.batch ?? null, now })]
}

/** The first look since the owner took over: from here on the part may be acted on. */
function seeParts(state: ServiceState, observed: Observed, now: number): Event[] {
  const isSeen = {
    target: observed.instances.kind === 'seen',
    router: routerLooks(state, observed).some(({ seen }) => seen.kind === 'seen'),
  }
  return state.unseen
    .filter((part) => isSeen[part])
    .map((part): Event => ({ kind: 'part-seen', at: now, part }))
}

function seeInstances(state: ServiceState, observed: Observed, now: number): Event[] {
  const { instances } = observed
  if (instances.kind === 'failed') return troubled(state, 'target', instances.problem, now)
  const ejectionOf = ejectionsSeen(
    state,
    routerLooks(state, observed).map(({ seen }) => seen),
  )
  const changed = state.sets
    .map((set) => ({
      set,
      seen: instances.instances
        .filter((one) => isOf(set, one))
        .map((one) => ({ ...one, ...ejectionOf(one) })),
    }))
    .filter(({ set, seen }) =>
      isAtDeadline(state, set, now)
        ? JSON.stringify(set.instances) !== JSON.stringify(seen)
        : !sameInstances(set.instances, seen, countedFailures(state)),
    )
    .map(
      ({ set, seen }): Event => ({
        kind: 'instances-observed',
        at: now,
        release: set.release,
        instances: seen,
      }),
    )
  return [...healed(state, 'target', now), ...changed]
}

/** The target goes on showing what ended lately; what ended before the set was asked for belongs to an earlier attempt. */
const isOf = (set: SetState, { release, state, startedAt, lastExit }: Instance): boolean =>
  release === set.release &&
  !(state === 'gone' && (startedAt < set.since || lastExit?.cause === 'stopped-by-us'))

/** Failed probes in a row are news up to here: what the analysis asks for, and a little more for people. */
const countedFailures = ({ rollout }: ServiceState): number =>
  Math.max(10, rollout?.settings.analysis.failingChecks ?? 0)

const sameInstances = (a: readonly Instance[], b: readonly Instance[], counted: number): boolean =>
  JSON.stringify(a.map((one) => essence(one, counted))) ===
  JSON.stringify(b.map((one) => essence(one, counted)))

/** What is said about a candidate that never became ready must be its last words, not those of the last change. */
function isAtDeadline(state: ServiceState, set: SetState, now: number): boolean {
  const { rollout } = state
  if (rollout?.phase.kind !== 'running' || isHeld(state, rollout)) return false
  if (rollout.plan.to.release !== set.release) return false
  const startedAt = rollout.steps[rollout.stepIndex]?.startedAt ?? null
  const isProvisioning = rollout.plan.steps[rollout.stepIndex]?.step.kind === 'provision'
  return (
    isProvisioning &&
    startedAt !== null &&
    now - startedAt - rollout.heldMs >= readyWithinMs(rollout.settings.health)
  )
}

/** What decisions and people depend on; the time of the last failed probe alone is no news. */
const essence = (one: Instance, counted: number): unknown => [
  one.id,
  one.state,
  one.host,
  one.port,
  one.pid,
  one.crashes,
  Math.min(one.consecutiveProbeFailures, counted),
  one.lastProbeFailure?.kind,
  one.logTail.length > 0,
  one.lastExit?.at,
  one.checks?.map(({ name, state }) => [name, state]),
  ...(one.ejected === undefined ? [] : [one.ejected]),
]

/** Instances were looked at just before. */
const seeNamed = (state: ServiceState, { instances }: Observed, now: number): Event[] =>
  instances.kind === 'seen' ? [...seeNamedChecks(state, now), ...seeUntold(state, now)] : []

function seeFreeze(state: ServiceState, { freeze }: Observed, now: number): Event[] {
  return freeze.kind === 'failed'
    ? [...troubled(state, 'freezes', freeze.problem, now), ...endedByTime(state, now)]
    : [...healed(state, 'freezes', now), ...noteFreeze(state, freeze.state, now)]
}

function seeMetrics(state: ServiceState, { metrics, probes, instances }: Observed, now: number): Event[] {
  const { rollout } = state
  if (rollout === null || metrics === null || !isMeasured(rollout)) return []
  switch (metrics.kind) {
    case 'failure':
      return rollout.sourceFailures?.problem.code === metrics.problem.code
        ? []
        : [{ kind: 'metrics-failed', at: now, problem: metrics.problem }]
    case 'no-data':
      return []
    case 'samples': {
      const cursor = cursorOf(metrics.counts, metrics.at, seenBeside(state))
      const last = rollout.cursor
      if (last !== null && isTooSoon(metrics.at, last.at, rollout) && !hasOpened(state, last, cursor))
        return []
      const batch = last === null ? null : batchBetween(last, cursor, sidesNow(rollout))
      const used = instances.kind === 'seen' ? instances.use : undefined
      const probed = { probes: probes.sent, probesLost: probes.lost }
      const resources = observedUse(state, rollout, { use: used, now })
      return [{ kind: 'metrics-observed', at: now, batch, cursor, ...probed, ...resources }]
    }
  }
}

/** The end of an outage is counted at once: a rollout may be over with the same look. */
const hasOpened = ({ traffic }: ServiceState, last: CountsCursor, { closed = 0 }: CountsCursor): boolean =>
  traffic.closed === null && traffic.confirmed?.sequence === traffic.sequence && closed > (last.closed ?? 0)

/** Instances and router were looked at just before, in the same look. */
function seenBeside({ traffic, epoch, sets, troubles }: ServiceState): SeenBeside {
  const { confirmed, sequence } = traffic
  const isInForce = confirmed?.sequence === sequence && confirmed.epoch === epoch
  const seen = (set: SetState) => ({
    crashes: set.instances.reduce((sum, { crashes }) => sum + crashes, 0),
    wanted: set.replicas,
  })
  return {
    ...(isInForce && confirmed.since !== undefined && !isRouterAway(troubles) && !isByName(traffic)
      ? { weights: { since: confirmed.since, of: confirmed.weights } }
      : {}),
    ...(troubles.target === undefined
      ? { instances: Object.fromEntries(sets.map((set) => [set.release, seen(set)])) }
      : {}),
  }
}

/** Whom the service names may be a robot or a whole company: users have their shares then, and requests need not. */
const isByName = ({ side }: ServiceState['traffic']): boolean =>
  side.sticky?.kind === 'assign' && (side.sticky.test?.by ?? null) !== null

/** A clock that was set back must not stop the looking; a stage is counted from its beginning. */
function isTooSoon(at: number, lastAt: number, rollout: RolloutState): boolean {
  const startedAt = rollout.steps[rollout.stepIndex]?.startedAt ?? null
  if (startedAt !== null && lastAt < startedAt && at >= startedAt && isObserving(rollout)) return false
  return at >= lastAt && at - lastAt < lookEveryMs(rollout)
}

const isObserving = ({ plan, stepIndex, phase }: RolloutState): boolean =>
  phase.kind === 'running' && plan.steps[stepIndex]?.step.kind === 'observe'

/** On the way back and while the old set leaves, every look counts: nothing that was cut may be missed. */
function lookEveryMs({ phase, plan, stepIndex, settings }: RolloutState): number {
  const kind = plan.steps[stepIndex]?.step.kind
  return phase.kind === 'returning' || kind === 'drain' || kind === 'retire'
    ? 1
    : settings.analysis.intervalMs
}

/** Counted from the first step to the outcome, the drain of the old set included. */
const isMeasured = (rollout: RolloutState): boolean => rollout.phase.kind !== 'ended'
