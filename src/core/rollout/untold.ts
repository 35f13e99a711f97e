import { problem } from '../shared/problem.ts'
import type { Event } from './event.ts'
import type { ServiceState, SetState } from './state.ts'

/** Troubles of this kind are kept under this and the release. */
const UNTOLD_PART = 'quiesce '

/** Workers that could not be told to take no new work: said once for each release, for as long as they are there. */
export function seeUntold(state: ServiceState, now: number): Event[] {
  const { sets, troubles } = state
  const seen = sets.flatMap((set): Event[] => {
    const part = `${UNTOLD_PART}${set.release}`
    const message = failureOf(set)
    if (message === null || troubles[part] !== undefined) return []
    const remedy = `What it was doing may have been cut: see "sluice logs --release ${set.release}". Mend run.quiesce.command before the next release.`
    const text = `${set.version} was stopped without warning: ${message}.`
    return [
      { kind: 'trouble-seen', at: now, part, problem: problem('QUIESCE_FAILED', { message: text, remedy }) },
    ]
  })
  const over = Object.keys(troubles)
    .filter((part) => part.startsWith(UNTOLD_PART))
    .filter((part) => !sets.some((set) => `${UNTOLD_PART}${set.release}` === part && failureOf(set) !== null))
    .map((part): Event => ({ kind: 'trouble-over', at: now, part }))
  return [...seen, ...over]
}

/** That it is over is no news: the worker is gone. */
export const isUntold = (part: string): boolean => part.startsWith(UNTOLD_PART)

function failureOf({ instances }: SetState): string | null {
  const untold = instances.filter(
    ({ state, lastProbeFailure }) => state === 'stopping' && lastProbeFailure?.kind === 'not-told',
  )
  const [first] = untold
  if (first === undefined) return null
  const others = untold.length === 1 ? '' : ` (and ${untold.length - 1} more)`
  return `${first.id}${others}: ${first.lastProbeFailure?.message ?? ''}`
}
