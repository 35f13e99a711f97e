import type { RouterState } from '../shared/router-state.ts'
import type { Observed } from './command.ts'
import { hasOutlasted, isWorking, longestDrainMs } from './drains.ts'
import type { Event } from './event.ts'
import type { FormerRouter } from './former-router.ts'
import type { ServiceState } from './state.ts'

/** What routers that served before still have under way. */
export const seeFormer = (state: ServiceState, { former: seen = [] }: Observed, now: number): Event[] =>
  state.traffic.former.flatMap((one) =>
    heard(state, one, { seen: seen.find(({ router }) => router === one.router)?.state ?? null, now }),
  )

type Look = { seen: RouterState | null; now: number }

function heard(state: ServiceState, one: FormerRouter, look: Look): Event[] {
  const { router } = one
  const busy = busyAt(state, one, look)
  const isGone = busy !== null && busy.length === 0 && !state.traffic.left.includes(router)
  if (busy === null || (!isGone && JSON.stringify(busy) === JSON.stringify(one.busy))) return []
  const cut = isGone ? (look.seen?.instances ?? []).flatMap(({ drain }) => drain?.cut ?? []) : []
  return [{ kind: 'former-router-seen', at: look.now, router, busy, cut }]
}

/** While it does not answer, what it said last holds; nothing holds for longer than its drains may take. */
function busyAt(state: ServiceState, { router, since, busy }: FormerRouter, { seen, now }: Look) {
  const isOver = now - since >= longestDrainMs(state)
  const serves = state.traffic.left.includes(router)
  // An answer from before it let go says nothing about what came until then.
  const isFresh = seen !== null && (serves || seen.token === null)
  if (!isFresh) return isOver ? [] : busy
  const active = seen.sets.flatMap(({ instances }) => instances).filter((one) => one.state === 'active')
  const working = seen.instances.filter((one) =>
    one.drain === null ? isWorking(one) && !isOver : isWorking(one) && !hasOutlasted(one, state),
  )
  const ids = new Set([...(isOver ? [] : active), ...working].map(({ id }) => id))
  return state.sets
    .flatMap(({ instances }) => instances.map(({ id }) => id))
    .filter((id) => ids.has(id))
    .sort()
}
