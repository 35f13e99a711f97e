import type { EventOf } from './event.ts'
import { livingInstances } from './routing.ts'
import type { RolloutState, ServiceState, SetState } from './state.ts'

type SetEvent = EventOf<
  | 'set-wanted'
  | 'set-held'
  | 'set-kept'
  | 'set-retiring'
  | 'set-stopping'
  | 'set-shrunk'
  | 'instances-dismissed'
  | 'let-go-accepted'
  | 'set-asserted'
  | 'set-gone'
  | 'instances-observed'
>

/** Applies what happened to one set of instances. */
export function evolveSets(state: ServiceState, event: SetEvent): ServiceState {
  if (event.kind === 'set-wanted') {
    const { release, version, replicas, adoption, role, sequence } = event
    const known = state.sets.find((set) => set.release === release)
    const set: SetState = {
      release,
      version,
      role,
      replicas,
      adoption,
      sequence,
      stage: 'wanted',
      letGoAccepted: false,
      assertedEpoch: 0,
      since: event.at,
      releaseAt: null,
      leaving: [],
      dismissed: known === undefined ? [] : dismissedOf(known),
      instances: known?.instances ?? [],
    }
    const sets = [...state.sets.filter((other) => other.release !== release), set]
    const rollout =
      known !== undefined && isAtWork(known) ? state.rollout : withFreshCrashes(state.rollout, set)
    return { ...state, sequence, sets, rollout }
  }
  if (event.kind === 'set-gone') {
    const weights = Object.fromEntries(
      Object.entries(state.traffic.weights).filter(([release]) => release !== event.release),
    )
    return {
      ...state,
      sets: state.sets.filter((set) => set.release !== event.release),
      traffic: { ...state.traffic, weights },
    }
  }
  const isOrder = event.kind === 'set-stopping' || event.kind === 'instances-dismissed'
  const sequence = isOrder ? event.sequence : state.sequence
  return {
    ...state,
    sequence,
    sets: state.sets.map((set) => (set.release === event.release ? evolveSet(set, event) : set)),
  }
}

/** A candidate that only grows goes on as it is, with the crashes that it had. */
const isAtWork = ({ role, stage }: SetState): boolean => role === 'candidate' && stage === 'wanted'

/** What was told to stop is none of those that are wanted now. */
const dismissedOf = (known: SetState): string[] =>
  known.stage === 'stopping' ? livingInstances(known).map(({ id }) => id) : known.dismissed

/** Neither crashes of an earlier attempt nor time before they were asked for counts for fresh instances. */
function withFreshCrashes(rollout: RolloutState | null, set: SetState): RolloutState | null {
  if (rollout === null || rollout.plan.to.release !== set.release) return rollout
  return {
    ...rollout,
    heldMs: 0,
    crashesAtStart: set.instances.reduce((sum, { crashes }) => sum + crashes, 0),
  }
}

function evolveSet(
  set: SetState,
  event: EventOf<
    | 'set-held'
    | 'set-kept'
    | 'set-retiring'
    | 'set-stopping'
    | 'set-shrunk'
    | 'instances-dismissed'
    | 'let-go-accepted'
    | 'set-asserted'
    | 'instances-observed'
  >,
): SetState {
  switch (event.kind) {
    case 'set-held':
      return { ...set, role: 'held', releaseAt: event.until }
    case 'set-kept':
      return { ...set, role: 'warm', releaseAt: event.until }
    case 'set-retiring':
      return { ...set, role: 'retiring', releaseAt: null }
    case 'set-stopping':
      return { ...set, stage: 'stopping', sequence: event.sequence }
    case 'set-shrunk':
      return { ...set, replicas: event.replicas, leaving: [...set.leaving, ...event.leaving] }
    case 'instances-dismissed': {
      const { instances, sequence } = event
      const leaving = set.leaving.filter((id) => !instances.includes(id))
      // That none is wanted any more is a thing that the target must know before anything relies on it.
      const assertedEpoch = set.replicas === 0 ? 0 : set.assertedEpoch
      return { ...set, sequence, assertedEpoch, leaving, dismissed: [...set.dismissed, ...instances] }
    }
    case 'let-go-accepted':
      return { ...set, letGoAccepted: true }
    case 'set-asserted':
      return { ...set, assertedEpoch: event.epoch }
    case 'instances-observed':
      return { ...set, instances: event.instances, ...stillThere(set, event) }
  }
}

/** What is gone needs no further word. */
function stillThere(
  { leaving, dismissed }: SetState,
  { instances }: EventOf<'instances-observed'>,
): Pick<SetState, 'leaving' | 'dismissed'> {
  const isThere = (id: string): boolean =>
    instances.some((instance) => instance.id === id && instance.state !== 'gone')
  return { leaving: leaving.filter(isThere), dismissed: dismissed.filter(isThere) }
}

const leave = (set: SetState): SetState => ({ ...set, role: 'retiring', releaseAt: null })

/** What was taken over is given back; what is ours leaves as always. */
export const releaseAll = (state: ServiceState): ServiceState => ({
  ...state,
  sets: state.sets.map((set) =>
    set.adoption === null ? leave(set) : { ...set, stage: 'releasing' as const },
  ),
  traffic: { ...state.traffic, weights: {}, closed: null },
})
