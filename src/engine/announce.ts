import type { Event } from '../core/rollout/event.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { announcementOf } from '../core/rollout/view/messages.ts'
import type { AppendRequest } from '../ports/store.ts'

/** Messages for the outbox, written in the same transaction as the events they speak of. */
export function messagesFor(
  { stream, revision, installation }: { stream: string; revision: number; installation: string },
  events: readonly Event[],
  states: readonly ServiceState[],
): AppendRequest['messages'] {
  return events.flatMap((event, index) => {
    const state = states[index]
    const announcement = state === undefined ? null : announcementOf(event, state)
    if (state === undefined || announcement === null) return []
    const channels = state.rollout?.settings.notify ?? []
    return channels
      .filter(({ on }) => on.some((pattern) => matches(pattern, announcement.type)))
      .map(({ name }) => ({
        channel: `${stream}/${name}`,
        key: `${installation}-${stream}-${revision + index + 1}`,
        message: { ...announcement, timestamp: new Date(event.at).toISOString() },
      }))
  })
}

/** `*`, `rollout.*` or a whole type. */
const matches = (pattern: string, type: string): boolean =>
  pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))
