import type { EventOf } from './event.ts'
import type { RolloutState, ServiceState, SetState } from './state.ts'

type SetEvent = EventOf<
  | 'set-wanted'
  | 'set-held'
  | 'set-kept'
  | 'set-retiring'
  | 'set-stopping'
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
      instances: known?.instances ?? [],
    }
    const sets = [...state.sets.filter((other) => other.release !== release), set]
    return { ...state, sequence, sets, rollout: withFreshCrashes(state.rollout, set) }
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
  const sequence = event.kind === 'set-stopping' ? event.sequence : state.sequence
  return {
    ...state,
    sequence,
    sets: state.sets.map((set) => (set.release === event.release ? evolveSet(set, event) : set)),
  }
}

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
    case 'let-go-accepted':
      return { ...set, letGoAccepted: true }
    case 'set-asserted':
      return { ...set, assertedEpoch: event.epoch }
    case 'instances-observed':
      return { ...set, instances: event.instances }
  }
}
