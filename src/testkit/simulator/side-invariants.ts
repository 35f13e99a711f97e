import type { Event } from '../../core/rollout/event.ts'
import { readyInstances } from '../../core/rollout/routing.ts'
import type { RolloutState, ServiceState } from '../../core/rollout/state.ts'
import type { SideRoutes } from '../../core/shared/side-routes.ts'
import { hasPassed } from '../../core/shared/verification.ts'
import { brokenTest } from './test-invariants.ts'

type Step = { before: ServiceState; event: Event; after: ServiceState }

/** What must hold of where requests go besides the weights. */
export const brokenSide = ({ event, after }: Step): string | null =>
  sideIsServed(event, after) ??
  sideBelongs(event, after) ??
  brokenTest(event, after) ??
  nothingOutlives(event, after)

/** Neither a rule nor the preview points to a set that could not answer (S27, S42). */
function sideIsServed(event: Event, after: ServiceState): string | null {
  if (event.kind !== 'routes-decided') return null
  const { rules, preview, mirror } = event.side
  const isServed = (release: string): boolean => {
    const active = event.routes.find((set) => set.release === release)?.instances ?? []
    return active.some(({ state }) => state === 'active')
  }
  if (mirror !== null && !isServed(mirror.release))
    return `INV2: copies go to ${mirror.release}, which has no active instance`
  const rule = rules.find(({ release }) => !isServed(release))
  if (rule !== undefined) return `INV2: a rule points to ${rule.release}, which has no active instance`
  const shown = preview?.release ?? null
  if (shown !== null && !isServed(shown)) return `INV2: the preview shows ${shown}, which cannot answer`
  // Instances that are not ready may stand in for weights; for those who chose a version, nothing stands in.
  const unready = rules.find(
    ({ release }) => readyInstances(after.sets.find((set) => set.release === release)).length === 0,
  )
  return unready === undefined ? null : `INV2: a rule points to ${unready.release}, which is not ready`
}

/** Only to a candidate on its way, after its checks; and only what its own settings ask for. */
function sideBelongs(event: Event, { rollout, stable }: ServiceState): string | null {
  if (event.kind !== 'routes-decided') return null
  const bound = boundIn(event.side)
  const stranger = bound.find(
    (release) =>
      rollout?.phase.kind !== 'running' ||
      release !== rollout.plan.to.release ||
      release === stable?.release ||
      !isVerified(rollout),
  )
  return stranger === undefined ? null : `${stranger} is reached besides the weights, and is no candidate`
}

/** Releases that requests or users are bound to. */
const boundIn = ({ rules, sticky, mirror }: SideRoutes): string[] => [
  ...(mirror === null ? [] : [mirror.release]),
  ...rules.map(({ release }) => release),
  ...(sticky?.kind === 'assign' ? [sticky.release] : []),
]

function isVerified({ plan, verified }: RolloutState): boolean {
  const index = plan.steps.findIndex(({ step }) => step.kind === 'verify' && step.moment === 'before')
  if (index < 0) return true
  const report = verified.find((one) => one.index === index)?.report
  return report !== undefined && hasPassed(report)
}

/** When an outcome is reached, nobody is bound to anything any more (S43, S47). */
function nothingOutlives(event: Event, { traffic }: ServiceState): string | null {
  if (event.kind !== 'outcome-reached') return null
  const [left] = boundIn(traffic.side)
  return left === undefined ? null : `${left} is still reached besides the weights after ${event.outcome}`
}
