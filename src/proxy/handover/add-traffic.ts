import type { InstanceTraffic } from '../../core/shared/router-state.ts'
import { CUT_LIST } from '../limits.ts'

/**
 * What the instances do for two processes together. An instance is idle only when both say so, and its drain is done only
 * when both are done: else one that still works for a user would be stopped.
 */
export function addTraffic(
  own: readonly InstanceTraffic[],
  before: readonly InstanceTraffic[],
): InstanceTraffic[] {
  const left = Map.groupBy(before, keyOf)
  const merged = own.map((now) => {
    const old = takeMatch(left.get(keyOf(now)) ?? [], now)
    return old === null ? now : addInstance(now, old)
  })
  return [...merged, ...[...left.values()].flat()]
}

/**
 * One that left and came back is told twice: as it is now, and the end of its drain. What it does now is added to what it
 * does now, and to nothing that is over. Each list tells first what is now.
 */
function takeMatch(olds: InstanceTraffic[], now: InstanceTraffic): InstanceTraffic | null {
  const at = now.drain === null ? olds.findIndex(({ drain }) => drain?.done !== true) : 0
  return at < 0 ? null : (olds.splice(at, 1)[0] ?? null)
}

const keyOf = ({ release, id }: InstanceTraffic): string => `${release} ${id}`

function addInstance(now: InstanceTraffic, old: InstanceTraffic): InstanceTraffic {
  const ejected = now.ejected ?? old.ejected
  return {
    ...now,
    // Each process leaves out for itself; whoever looks is told of any.
    ...(ejected === undefined ? {} : { ejected }),
    inFlight: now.inFlight + old.inFlight,
    websockets: now.websockets + old.websockets,
    drain: addDrains(now.drain, old.drain),
  }
}

type Drain = InstanceTraffic['drain']

function addDrains(now: Drain, old: Drain): Drain {
  if (now === null || old === null) return now ?? old
  return {
    done: now.done && old.done,
    sinceMs: Math.max(now.sinceMs, old.sinceMs),
    cut: [...old.cut, ...now.cut].slice(0, CUT_LIST),
    cutTotal: old.cutTotal + now.cutTotal,
  }
}
