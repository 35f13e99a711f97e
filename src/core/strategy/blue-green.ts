import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { BlueGreenSettings } from '../release/strategy-settings.ts'
import { arrival, farewell, provision, stages, verification } from './steps.ts'

/**
 * A whole candidate beside stable, verified; a time for people to look at it, where one is asked for; then the switch, or the steps of
 * a canary; the watch; and the old set stays ready for an instant way back.
 */
export const blueGreenSteps = (settings: ServiceSettings, strategy: BlueGreenSettings): Step[] => [
  ...untilTheSwitch(settings, strategy),
  ...stages(strategy.steps, strategy.earliestMs),
  ...arrival(settings),
  ...farewell(settings),
]

/** A preview of fewer instances grows to its full size before it gets traffic. */
function untilTheSwitch(
  settings: ServiceSettings,
  { switchAfterMs, previewReplicas }: BlueGreenSettings,
): Step[] {
  const { replicas } = settings.run
  const gate: Step[] = switchAfterMs === 0 ? [] : [{ kind: 'gate', durationMs: switchAfterMs }]
  const isSmall = gate.length > 0 && previewReplicas !== null && previewReplicas < replicas
  const verify = verification(settings, 'before')
  if (!isSmall) return [provision(settings), ...verify, ...gate]
  return [provision(settings, previewReplicas), ...verify, ...gate, provision(settings)]
}
