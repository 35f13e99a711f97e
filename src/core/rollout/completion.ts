import type { ChecklistItem } from './checklist.ts'
import { candidateSet, judgeRollout } from './judging/judge-rollout.ts'
import { neededReady } from './rollout-position.ts'
import { isInForce, isWorkerService, readyInstances } from './routing.ts'
import type { RolloutState, ServiceState } from './state.ts'

/**
 * What must be so before the candidate becomes stable, and how each item stands now. The record is no item: it is written
 * in the transaction that makes the candidate stable.
 */
export function checklistOf(state: ServiceState, rollout: RolloutState): ChecklistItem[] {
  return [
    instancesItem(state, rollout),
    trafficItem(state, rollout),
    ...stagesItem(rollout),
    ...watchItem(rollout),
    ...checksItem(state, rollout),
  ]
}

const item = (name: ChecklistItem['name'], passed: boolean, text: string): ChecklistItem => ({
  name,
  state: passed ? 'passed' : 'failed',
  text,
  by: null,
})

const waived = (name: ChecklistItem['name'], text: string, by: string): ChecklistItem => ({
  name,
  state: 'waived',
  text,
  by,
})

function instancesItem(state: ServiceState, rollout: RolloutState): ChecklistItem {
  const ready = readyInstances(candidateSet(state)).length
  const { replicas } = rollout.settings.run
  return item('instances', ready >= neededReady(rollout), `${ready} of ${replicas} instances are ready`)
}

const trafficItem = (state: ServiceState, { plan }: RolloutState): ChecklistItem =>
  item(
    'traffic',
    isInForce(state, plan.to.release),
    isWorkerService(state) ? 'all instances are its' : 'the router confirms its share',
  )

/** Stages that somebody ended early are let pass by whoever did it. */
function stagesItem({ plan, steps, actor }: RolloutState): ChecklistItem[] {
  if (plan.strategy === 'full') return [waived('stages', 'ordered without stages', actor.name)]
  const stages = steps.filter((_, index) => plan.steps[index]?.step.kind === 'observe')
  if (stages.length === 0) return []
  const skipped = stages.filter(({ state }) => state === 'skipped')
  const [first] = skipped
  if (first === undefined)
    return [item('stages', true, `${stages.length} of ${stages.length} stages were passed`)]
  return [
    waived('stages', `${skipped.length} of ${stages.length} stages were cut short`, first.by ?? actor.name),
  ]
}

function watchItem({ plan, steps, actor }: RolloutState): ChecklistItem[] {
  const watch = steps.find((_, index) => plan.steps[index]?.step.kind === 'watch')
  if (watch === undefined) return []
  if (watch.state === 'skipped') return [waived('watch', 'it was ended early', watch.by ?? actor.name)]
  return [item('watch', watch.state === 'done', 'it is over without a critical finding')]
}

function checksItem(state: ServiceState, rollout: RolloutState): ChecklistItem[] {
  const { plan, actor, acknowledged } = rollout
  if (plan.kind === 'rollback') return [waived('checks', 'the fast way back is not judged', actor.name)]
  if (plan.kind !== 'deploy') return []
  const seen = acknowledged.length === 0 ? '' : `; warnings let pass: ${acknowledged.join(', ')}`
  const isCritical = judgeRollout(rollout, candidateSet(state)).kind === 'critical'
  return [item('checks', !isCritical, `nothing critical was found${seen}`)]
}
