import type { Event } from '../core/rollout/event.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { serviceView } from '../core/rollout/view/service-view.ts'
import { timelineEntry } from '../core/rollout/view/timeline.ts'
import type { ServiceView, TimelineEntry } from '../core/rollout/view/view.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import type { Clock } from '../ports/clock.ts'

/** Lines a view carries; the whole timeline of a rollout is asked for by its id. */
const TIMELINE_LIMIT = 50

type Listener = { stream: string | null; hear(view: ServiceView): void }
type Known = {
  revision: number
  timeline: TimelineEntry[]
  inFlight: Record<string, number>
  limited: RouterState['limited']
  certificate: RouterState['certificate']
}

type Numbered = { sequence: number; event: Event }

/** Everybody who looks on: turns decisions into views and tells the subscribers. */
export interface Audience {
  decided(stream: string, decided: { state: ServiceState; revision: number; events: readonly Event[] }): void
  looked(stream: string, routerState: RouterState | null): void
  /** What was decided elsewhere: by another controller, or before this one was started. What is known already is left out. */
  followed(stream: string, read: { state: ServiceState; revision: number; events: readonly Numbered[] }): void
  /** The last event of the stream that was heard of; 0 for none. */
  revisionOf(stream: string): number
  viewOf(stream: string, loaded: { state: ServiceState; revision: number }): ServiceView
  subscribe(stream: string | null, hear: (view: ServiceView) => void): () => void
}

export function createAudience(clock: Clock): Audience {
  const known = new Map<string, Known>()
  const listeners = new Set<Listener>()

  const of = (stream: string): Known => {
    const found = known.get(stream) ?? {
      revision: 0,
      timeline: [],
      inFlight: {},
      limited: undefined,
      certificate: undefined,
    }
    known.set(stream, found)
    return found
  }

  const note = (
    stream: string,
    { state, revision, events }: { state: ServiceState; revision: number; events: readonly Numbered[] },
  ): void => {
    const mine = of(stream)
    if (revision <= mine.revision) return
    const lines = events
      .filter(({ sequence }) => sequence > mine.revision)
      .flatMap(({ sequence, event }) => timelineEntry(sequence, event, versionIn(state)) ?? [])
    mine.revision = revision
    mine.timeline = [...mine.timeline, ...lines].slice(-TIMELINE_LIMIT)
  }

  const tell = (stream: string, loaded: { state: ServiceState; revision: number }): void => {
    if (listeners.size === 0) return
    const view = viewOf(stream, loaded)
    for (const listener of listeners)
      if (listener.stream === null || listener.stream === stream) listener.hear(view)
  }

  const viewOf: Audience['viewOf'] = (stream, { state, revision }) =>
    serviceView(state, { ...of(stream), revision, now: clock.now() })

  return {
    followed: (stream, read) => {
      note(stream, read)
      tell(stream, read)
    },
    revisionOf: (stream) => of(stream).revision,
    viewOf,
    looked: (stream, routerState) => {
      of(stream).certificate = routerState?.certificate
      of(stream).limited = routerState?.limited
      of(stream).inFlight = Object.fromEntries(
        routerState?.instances.map(({ id, inFlight, websockets }) => [id, inFlight + websockets]) ?? [],
      )
    },
    decided: (stream, { state, revision, events }) => {
      const first = revision - events.length + 1
      note(stream, { state, revision, events: events.map((event, at) => ({ sequence: first + at, event })) })
      tell(stream, { state, revision })
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
