import type { Event } from '../../core/rollout/event.ts'
import { stopsFirst } from '../../core/rollout/recreate/closing.ts'
import { livingInstances } from '../../core/rollout/routing.ts'
import type { ServiceState } from '../../core/rollout/state.ts'

type Step = { before: ServiceState; event: Event }

/** What must hold of a plan that stops what runs before it starts what comes, and of the time in which nobody is served. */
export const brokenRecreate = (step: Step): string | null =>
  closedAsDeclared(step) ?? emptiedBehindClosedDoors(step) ?? neverTogether(step) ?? opensAgain(step)

/** Nobody may be served only while a plan that says so stops what runs, or goes back. */
function closedAsDeclared({ before: { rollout, traffic }, event }: Step): string | null {
  if (event.kind === 'routes-decided') {
    const isSaid = (event.side.closed === null) === (traffic.closed === null)
    return isSaid ? null : 'the routes are closed and the decision is another'
  }
  if (event.kind !== 'weights-decided' || event.closed === undefined) return null
  const isAsked =
    rollout !== null &&
    stopsFirst(rollout.plan) &&
    (rollout.phase.kind === 'returning' || rollout.plan.steps[rollout.stepIndex]?.step.kind === 'vacate')
  const share = Object.values(event.weights).reduce((sum, weight) => sum + weight, 0)
  if (share > 0) return `INV1: closed, with ${share} per mille of traffic`
  return isAsked ? null : 'INV5: nobody is served, and no plan says so'
}

/** The last of stable leaves only once the router confirmed that nobody is sent to it. */
function emptiedBehindClosedDoors({ before, event }: Step): string | null {
  const { rollout, stable, traffic } = before
  if (event.kind !== 'set-shrunk' || rollout === null || !stopsFirst(rollout.plan)) return null
  if (event.release !== stable?.release) return null
  const isClosed = traffic.closed !== null && (traffic.sequence === 0 || isInForce(before))
  return isClosed ? null : `INV5: ${event.release} leaves while it is sent requests`
}

const isInForce = ({ traffic, epoch }: ServiceState): boolean =>
  traffic.confirmed?.sequence === traffic.sequence && traffic.confirmed.epoch === epoch

/** Instances of two versions are never there at the same time, on the way there and on the way back. */
function neverTogether({ before, event }: Step): string | null {
  const { rollout, sets } = before
  if (event.kind !== 'set-wanted' || event.replicas === 0) return null
  if (rollout === null || rollout.phase.kind === 'ended' || !stopsFirst(rollout.plan)) return null
  const own = sets.find(({ release }) => release === event.release)
  const staying =
    own === undefined ? [] : livingInstances(own).filter(({ id }) => !own.dismissed.includes(id))
  // Those that were on their way out and are called back do not start.
  if (event.replicas <= staying.length) return null
  const other = sets.find(
    (set) => set.release !== event.release && set.adoption === null && livingInstances(set).length > 0,
  )
  return other === undefined ? null : `${event.release} starts while ${other.release} runs`
}

/** No rollout leaves a service closed behind it. */
function opensAgain({ before, event }: Step): string | null {
  return event.kind === 'outcome-reached' && before.traffic.closed !== null
    ? `INV5: ${event.outcome}, and nobody is served`
    : null
}
