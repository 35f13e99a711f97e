import type { Plan } from '../../plan/plan.ts'
import type { Event } from '../event.ts'
import type { Reason } from '../reason.ts'
import { livingInstances } from '../routing.ts'
import type { Moment } from '../stage-context.ts'
import type { ServiceState, SetState } from '../state.ts'

/** The plan stops what runs before it starts what comes, so that two versions are never there at the same time. */
export const stopsFirst = ({ steps }: Pick<Plan, 'steps'>): boolean =>
  steps.some(({ step }) => step.kind === 'vacate')

/** What clients are told while nobody is served, as the plan has it. */
export const retryAfterIn = ({ steps }: Pick<Plan, 'steps'>): number =>
  steps.flatMap(({ step }) => (step.kind === 'vacate' ? [step.retryAfterS] : []))[0] ?? 1

/** Nobody is served, by decision: between the last of the old instances and the first of the new ones. */
export const isClosed = ({ traffic }: Pick<ServiceState, 'traffic'>): boolean => traffic.closed !== null

/** From here on nobody is served; the next decision about weights opens again. */
export function closing(
  { traffic }: ServiceState,
  { retryAfterS, reason, now }: { retryAfterS: number; reason: Reason; now: number },
): Event {
  const weights = Object.fromEntries(Object.keys(traffic.weights).map((release) => [release, 0]))
  return { kind: 'weights-decided', at: now, weights, closed: { retryAfterS }, reason }
}

/** The target was looked at after it had obeyed the last order about the set: what it showed then is true of it. */
export const isSeenSince = ({ sequence }: SetState, { looked, obeyed }: Moment): boolean =>
  looked && obeyed !== null && obeyed >= sequence

/** Nothing of another release runs or is wanted. What was taken over does not count: nobody could start it again. */
export const isAlone = ({ sets }: ServiceState, release: string | null): boolean =>
  sets.every((set) => set.release === release || set.adoption !== null || isEmpty(set))

const isEmpty = (set: SetState): boolean => livingInstances(set).length === 0 && wanted(set) === 0

const wanted = ({ stage, role, replicas, leaving }: SetState): number =>
  stage === 'wanted' && role !== 'retiring' && role !== 'held' ? replicas + leaving.length : 0
