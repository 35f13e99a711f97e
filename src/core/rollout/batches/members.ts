import type { Instance } from '../../shared/instance.ts'
import { livingInstances } from '../routing.ts'
import type { SetState } from '../state.ts'

/** What runs for the set and was not told to stop. */
const members = (set: SetState): Instance[] =>
  livingInstances(set).filter(({ state }) => state !== 'stopping')

/** What was told to stop and has not ended. */
export const stopping = (set: SetState): number => livingInstances(set).length - members(set).length

/** The target shows what was asked for: so many run, and of those that were let go none does. */
export function isAsWanted(set: SetState): boolean {
  const running = members(set)
  const left = running.filter(({ id }) => set.dismissed.includes(id))
  return left.length === 0 && running.length === set.replicas + set.leaving.length
}

/**
 * Instances that the set takes up: those that are asked for and those that run, whichever is more, and those that stop, until
 * they are gone, unless the plan lets them go on beside whoever takes their place. What a person may still want to look into
 * is held beside everything, and could stay for ever.
 */
export function occupancy(set: SetState, mayLinger: boolean): number {
  if (set.role === 'held') return 0
  const isWanted = set.stage === 'wanted' && set.role !== 'retiring'
  const own = Math.max(isWanted ? set.replicas + set.leaving.length : 0, members(set).length)
  return own + (mayLinger ? 0 : stopping(set))
}

/**
 * Which instances leave so that so many are left: those that do not serve first, then the oldest. Decided once and
 * recorded, so that whoever goes on does the same.
 */
export function chooseLeaving(set: SetState, replicas: number): string[] {
  const staying = members(set).filter(({ id }) => !set.leaving.includes(id) && !set.dismissed.includes(id))
  return [...staying]
    .sort(worstFirst)
    .slice(0, Math.max(0, staying.length - replicas))
    .map(({ id }) => id)
}

const worstFirst = (a: Instance, b: Instance): number =>
  Number(a.state === 'ready') - Number(b.state === 'ready') ||
  a.startedAt - b.startedAt ||
  a.id.localeCompare(b.id)
