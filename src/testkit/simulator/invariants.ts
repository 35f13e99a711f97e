import { isDeepStrictEqual } from 'node:util'
import { occupancy } from '../../core/rollout/batches/members.ts'
import { limitsOf, lingers } from '../../core/rollout/batches/planned.ts'
import type { Event } from '../../core/rollout/event.ts'
import { readyInstances } from '../../core/rollout/routing.ts'
import { ServiceState } from '../../core/rollout/state.ts'
import { brokenRecreate } from './recreate-invariants.ts'
import { brokenSide } from './side-invariants.ts'

export type Step = { before: ServiceState; event: Event; after: ServiceState }

/** What was seen over the whole run that single steps cannot tell. */
export type InvariantMemory = { sequence: number; outcomes: Map<string, string> }

/** Only these may happen for a rollout after its outcome. */
const ROLLOUT_EVENTS: readonly Event['kind'][] = [
  'step-started',
  'step-finished',
  'step-reopened',
  'rollout-paused',
  'rollout-resumed',
  'return-started',
  'outcome-reached',
  'metrics-observed',
  'metric-sampled',
  'weights-decided',
  'stable-changed',
]

/** Names the invariant that a step breaks, or answers `null`. */
export function brokenInvariant(memory: InvariantMemory, { before, event, after }: Step): string | null {
  return (
    weightsAddUp(event) ??
    trafficIsServed(event, after) ??
    trafficLeftFirst(before, event) ??
    trafficComesToReady(before, event) ??
    stableStays(before, event) ??
    capacityStays(before, event) ??
    batchesKeepTheirBounds(before, event, after) ??
    oneOutcome(memory, before, event) ??
    sequenceGrows(memory, event) ??
    brokenSide({ before, event, after }) ??
    brokenRecreate({ before, event })
  )
}

function weightsAddUp(event: Event): string | null {
  if (event.kind !== 'routes-decided' || event.routes.length === 0) return null
  const sum = event.routes.reduce((total, { weightPermille }) => total + weightPermille, 0)
  return sum === (event.side.closed === null ? 1000 : 0) ? null : `INV1: weights add up to ${sum}`
}

function trafficIsServed(event: Event, after: ServiceState): string | null {
  if (event.kind !== 'routes-decided') return null
  const readyIn = (release: string): number =>
    readyInstances(after.sets.find((set) => set.release === release)).length
  const anyReady = after.sets.some((set) => set.stage === 'wanted' && readyIn(set.release) > 0)
  const stranded = event.routes.find(
    ({ release, weightPermille }) => weightPermille > 0 && readyIn(release) === 0,
  )
  return anyReady && stranded !== undefined
    ? `INV2: ${stranded.release} has weight and no ready instance`
    : null
}

/** A set is stopped only after the router confirmed, for the routes in force, that it has no share. */
function trafficLeftFirst({ traffic }: ServiceState, event: Event): string | null {
  if (event.kind !== 'set-stopping' || traffic.routes.length === 0) return null
  const share = traffic.confirmed?.weights[event.release] ?? 0
  const isConfirmed = traffic.confirmed?.sequence === traffic.sequence
  return isConfirmed && share === 0
    ? null
    : `INV3: ${event.release} is stopped with ${share} per mille ${isConfirmed ? '' : 'un'}confirmed`
}

/** A share grows only on a set that has a ready instance, while any set has one. */
function trafficComesToReady({ sets, traffic, stable }: ServiceState, event: Event): string | null {
  if (event.kind !== 'weights-decided') return null
  const hasReady = (release: string): boolean =>
    readyInstances(sets.find((set) => set.release === release)).length > 0
  const grown = Object.entries(event.weights).find(
    ([release, weight]) => weight > (traffic.weights[release] ?? 0) && !hasReady(release),
  )
  // Back to a stable that has nothing ready is allowed when the candidate has nothing either; routes let a third set stand in.
  const candidates = Object.keys(event.weights).filter((release) => (traffic.weights[release] ?? 0) > 0)
  const isForced = grown?.[0] === stable?.release && !candidates.some(hasReady)
  return grown === undefined || isForced ? null : `INV3: ${grown[0]} got traffic before it was ready`
}

function stableStays(before: ServiceState, event: Event): string | null {
  if (event.kind !== 'set-stopping' && event.kind !== 'set-retiring' && event.kind !== 'set-gone') return null
  return event.release === before.stable?.release ? `INV4: ${event.kind} of stable ${event.release}` : null
}

/** The old set is only let go once what takes its place has as many ready instances as the settings ask for. */
function capacityStays(
  { sets, rollout, stable, settings, traffic }: ServiceState,
  event: Event,
): string | null {
  if (event.kind !== 'set-retiring' || rollout === null) return null
  const old = sets.find(({ release }) => release === event.release)
  // Where nobody is served by plan, nothing is kept either.
  if (old?.role !== 'warm' || traffic.closed !== null) return null
  const set = sets.find(({ release }) => release === stable?.release)
  // What was kept beyond its rollout stands in for the stable release, by whose settings it is kept.
  const { strategy } = (old.releaseAt === null ? null : settings) ?? rollout.settings
  const floor = Math.ceil(((set?.replicas ?? 1) * strategy.readyPercent) / 100)
  const ready = readyInstances(set).length
  return ready >= floor ? null : `INV5: ${event.release} is let go while ${ready} of ${floor} are ready`
}

/** No more than the batches allow is asked for, no more of stable leaves than may, and what leaves has no traffic any more. */
export function batchesKeepTheirBounds(
  before: ServiceState,
  event: Event,
  after: ServiceState,
): string | null {
  const { rollout, stable, sets } = before
  if (event.kind === 'instances-dismissed') return dismissedWithoutWork(before, event)
  const limits = rollout === null ? null : limitsOf(before, rollout)
  if (limits === null || rollout === null) return null
  if (event.kind === 'set-wanted' && event.release !== stable?.release) {
    const all = after.sets.reduce((sum, set) => sum + occupancy(set, lingers(before, rollout, set)), 0)
    return all <= limits.most ? null : `INV5: ${all} instances are asked for, ${limits.most} may be`
  }
  if (event.kind !== 'set-shrunk') return null
  const { traffic } = before
  if (traffic.sequence > 0 && traffic.confirmed?.sequence !== traffic.sequence)
    return `INV3: ${event.leaving.join()} leave while the shares are unconfirmed`
  const serving = (of: ServiceState): number =>
    [stable?.release, rollout.plan.to.release].reduce(
      (sum, release) => sum + readyInstances(of.sets.find((set) => set.release === release)).length,
      0,
    )
  // Those that do not serve may leave whenever they like.
  return serving(after) >= Math.min(limits.floor, serving(before)) || sets.length === 0
    ? null
    : `INV5: ${serving(after)} serve after ${event.leaving.join()} left, ${limits.floor} must`
}

/** The router confirmed routes in which they take no new requests. */
function dismissedWithoutWork(
  { traffic, busy }: ServiceState,
  { instances }: Extract<Event, { kind: 'instances-dismissed' }>,
): string | null {
  const active = traffic.routes.flatMap((set) => set.instances).filter(({ state }) => state === 'active')
  const isConfirmed = traffic.sequence === 0 || traffic.confirmed?.sequence === traffic.sequence
  const early = instances.find((id) => busy.includes(id) || active.some((one) => one.id === id))
  return isConfirmed && early === undefined ? null : `INV3: ${early ?? instances.join()} is stopped with work`
}

function oneOutcome({ outcomes }: InvariantMemory, before: ServiceState, event: Event): string | null {
  const { rollout } = before
  if (rollout === null) return null
  const known = outcomes.get(rollout.id)
  if (known !== undefined && ROLLOUT_EVENTS.includes(event.kind))
    return `INV8: ${event.kind} after ${known} of ${rollout.id}`
  if (event.kind === 'outcome-reached') outcomes.set(rollout.id, event.outcome)
  if (event.kind === 'rollout-started' && known === undefined)
    return `INV8: ${rollout.id} was replaced without an outcome`
  return null
}

function sequenceGrows(memory: InvariantMemory, event: Event): string | null {
  if (!('sequence' in event) || event.kind === 'routes-confirmed') return null
  if (event.sequence <= memory.sequence)
    return `sequence ${event.sequence} of ${event.kind} after ${memory.sequence}`
  memory.sequence = event.sequence
  return null
}

/** What is written is what is read, whatever state was reached. */
export function survivesStorage(after: ServiceState): string | null {
  const back = ServiceState.safeParse(JSON.parse(JSON.stringify(after)))
  if (!back.success) return `state does not parse: ${back.error.message}`
  return isDeepStrictEqual(back.data, after) ? null : 'state changes when it is stored and read back'
}
