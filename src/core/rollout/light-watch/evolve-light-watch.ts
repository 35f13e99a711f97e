import type { Event, EventOf } from '../event.ts'
import type { LightWatch } from './light-watch.ts'
import { blindMsOf, withCounts } from './light-watch.ts'

const LIGHT_EVENTS = [
  'light-watch-began',
  'light-watch-counted',
  'light-watch-blind',
  'light-watch-alarmed',
  'light-watch-ended',
] as const satisfies Event['kind'][]
export type LightEvent = EventOf<(typeof LIGHT_EVENTS)[number]>

export const isLightEvent = (event: Event): event is LightEvent =>
  LIGHT_EVENTS.some((kind) => kind === event.kind)

/** Whatever begins on the service ends it, and so does giving the service back. An event without its watch changes nothing. */
export function evolveLightWatch(watch: LightWatch | null, event: Event): LightWatch | null {
  if (event.kind === 'light-watch-began') return event.watch
  if (event.kind === 'rollout-started' || event.kind === 'control-released') return null
  return watch === null || !isLightEvent(event) ? watch : follow(watch, event)
}

function follow(
  watch: LightWatch,
  event: Exclude<LightEvent, { kind: 'light-watch-began' }>,
): LightWatch | null {
  switch (event.kind) {
    case 'light-watch-counted': {
      const blindMs = blindMsOf(watch, event.at)
      const seen = { ...watch, cursor: event.cursor, blindSince: null, blindBecause: null, blindMs }
      return withCounts(seen, event.counts, event.sinceAt)
    }
    case 'light-watch-blind':
      return { ...watch, blindSince: event.at, blindBecause: event.problem }
    case 'light-watch-alarmed':
      return {
        ...watch,
        alarms: [...watch.alarms, { at: event.at, check: event.check, reason: event.reason }],
      }
    case 'light-watch-ended':
      return null
  }
}
