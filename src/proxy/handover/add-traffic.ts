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
  const left = new Map(before.map((one) => [keyOf(one), one]))
  const merged = own.map((now) => {
    const old = left.get(keyOf(now))
    left.delete(keyOf(now))
    return old === undefined ? now : addInstance(now, old)
  })
  return [...merged, ...left.values()]
}

const keyOf = ({ release, id }: InstanceTraffic): string => `${release} ${id}`

function addInstance(now: InstanceTraffic, old: InstanceTraffic): InstanceTraffic {
  return {
    ...now,
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
