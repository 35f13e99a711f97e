import type { Event } from '../core/rollout/event.ts'
import { serviceView } from '../core/rollout/service-view.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { timelineEntry } from '../core/rollout/timeline.ts'
import type { ServiceView, TimelineEntry } from '../core/rollout/view.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import type { Clock } from '../ports/clock.ts'

/** Lines a view carries; the whole timeline of a rollout is asked for by its id. */
const TIMELINE_LIMIT = 50

type Listener = { stream: string | null; hear(view: ServiceView): void }
type Known = { timeline: TimelineEntry[]; inFlight: Record<string, number> }

/** Everybody who looks on: turns decisions into views and tells the subscribers. */
export interface Audience {
  decided(stream: string, decided: { state: ServiceState; revision: number; events: readonly Event[] }): void
  looked(stream: string, routerState: RouterState | null): void
  /** Lines from before this controller was started, oldest first. */
  remember(stream: string, state: ServiceState, events: readonly { sequence: number; event: Event }[]): void
  viewOf(stream: string, loaded: { state: ServiceState; revision: number }): ServiceView
  subscribe(stream: string | null, hear: (view: ServiceView) => void): () => void
}

export function createAudience(clock: Clock): Audience {
  const known = new Map<string, Known>()
  const listeners = new Set<Listener>()

  const of = (stream: string): Known => {
    const found = known.get(stream) ?? { timeline: [], inFlight: {} }
    known.set(stream, found)
    return found
  }

  const note = (
    stream: string,
    state: ServiceState,
    events: readonly { sequence: number; event: Event }[],
  ): void => {
    const lines = events.flatMap(
      ({ sequence, event }) => timelineEntry(sequence, event, versionIn(state)) ?? [],
    )
    const mine = of(stream)
    mine.timeline = [...mine.timeline, ...lines].slice(-TIMELINE_LIMIT)
  }

  const viewOf: Audience['viewOf'] = (stream, { state, revision }) =>
    serviceView(state, { revision, now: clock.now(), ...of(stream) })

  return {
    remember: note,
    viewOf,
    looked: (stream, routerState) => {
      of(stream).inFlight = Object.fromEntries(
        routerState?.instances.map(({ id, inFlight, websockets }) => [id, inFlight + websockets]) ?? [],
      )
    },
    decided: (stream, { state, revision, events }) => {
      note(
        stream,
        state,
        events.map((event, index) => ({ sequence: revision - events.length + 1 + index, event })),
      )
      if (listeners.size === 0) return
      const view = viewOf(stream, { state, revision })
      for (const listener of listeners)
        if (listener.stream === null || listener.stream === stream) listener.hear(view)
    },
    subscribe: (stream, hear) => {
      const listener = { stream, hear }
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Versions are what people know; an id is shown only for a release nobody remembers. */
function versionIn(state: ServiceState): (release: string) => string {
  const plan = state.rollout?.plan
  const names = new Map(
    [
      ...state.previous,
      ...state.sets,
      ...(state.stable === null ? [] : [state.stable]),
      ...(plan === undefined ? [] : [plan.to, ...(plan.from === null ? [] : [plan.from])]),
    ].map(({ release, version }) => [release, version]),
  )
  return (release) => names.get(release) ?? release
}
