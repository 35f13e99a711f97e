import { formatDuration } from '../../shared/duration.ts'
import type { ServiceState } from '../state.ts'
import type { LightWatch } from './light-watch.ts'

/** What can be done about a finding now. */
export function wayBackFrom(state: ServiceState, watch: LightWatch): string {
  const target = backTarget(state)
  if (target === null) return 'There is no earlier release to go back to: deploy one that mends it.'
  if (watch.settings.onFinding === 'rollback')
    return `It goes back to ${target.version} by itself, as configured.`
  const { backMs } = watch
  const time =
    backMs === null ? '' : ` in about ${formatDuration(Math.max(1000, Math.ceil(backMs / 1000) * 1000))}`
  return `"sluice rollback" takes you back to ${target.version}${time}.`
}

/** Where the way back leads; `null` without an earlier release, or when that one is blocked. */
export function backTarget({ previous, blocks }: ServiceState): { release: string; version: string } | null {
  const [last] = previous
  return last === undefined || blocks.some(({ release }) => release === last.release) ? null : last
}

/** The file says that a finding ends the release, and there is somewhere to go. */
export const isBackWanted = (state: ServiceState): boolean =>
  state.lightWatch !== null &&
  state.lightWatch.settings.onFinding === 'rollback' &&
  state.lightWatch.alarms.length > 0 &&
  backTarget(state) !== null
