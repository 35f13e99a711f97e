import type { Problem } from '../shared/problem.ts'
import type { Event } from './event.ts'
import type { ServiceState } from './state.ts'

/** What is wrong with a part is said once, as long as it is the same. */
export function troubled(state: ServiceState, part: string, problem: Problem, now: number): Event[] {
  return state.troubles[part]?.code === problem.code ? [] : [{ kind: 'trouble-seen', at: now, part, problem }]
}

export const healed = (state: ServiceState, part: string, now: number): Event[] =>
  state.troubles[part] === undefined ? [] : [{ kind: 'trouble-over', at: now, part }]
