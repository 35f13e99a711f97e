import { isOver } from './instance-life.ts'
import type { InstanceRecord } from './instance-record.ts'

export type SetPlan = { start: number; stop: string[] }

/**
 * How a set gets from its instances to the wanted number. Absolute, so the same request twice plans nothing new.
 * Every instance that is not stopping counts, the failed ones too: asking again must not start more and more of them.
 * Surplus goes not-ready first, then newest.
 */
export function planSet(instances: readonly InstanceRecord[], replicas: number): SetPlan {
  const wanted = instances.filter((instance) => !isOver(instance))
  if (wanted.length <= replicas) return { start: replicas - wanted.length, stop: [] }
  const surplus = [...wanted].sort(worstFirst).slice(0, wanted.length - replicas)
  return { start: 0, stop: surplus.map((instance) => instance.id) }
}

const RANK = { failed: 0, crashed: 1, unready: 2, starting: 3, ready: 4, stopping: 5, gone: 6 } as const

const worstFirst = (a: InstanceRecord, b: InstanceRecord): number =>
  RANK[a.state] - RANK[b.state] || b.createdAt - a.createdAt || b.id.localeCompare(a.id)
