import type { RolloutEvidence } from '../../src/core/rollout/replay/rollout-evidence.ts'
import type { CheckView } from '../../src/core/rollout/view/view.ts'
import { evidenceOf, viewOf } from '../../src/testkit/simulator/course.test.kit.ts'
import { counts, declared, value } from '../../src/testkit/simulator/metric-world.test.kit.ts'
import { NEW } from '../../src/testkit/simulator/scene.ts'
import { simulatedSettings } from '../../src/testkit/simulator/settings.ts'
import { createWorld, isOver } from '../../src/testkit/simulator/world.ts'

const REVENUE = {
  kind: 'value',
  direction: 'less-is-worse',
  warningPercent: 10,
  criticalPercent: 50,
} as const

/** Two declared metrics of a simulated rollout, one that is counted and one that is a number, with all they rest on. */
export function declaredMetrics(): Pick<RolloutEvidence, 'checks' | 'values'> & { views: CheckView[] } {
  const metrics = [
    declared({ tier: 'report' }),
    declared({ name: 'revenue', tier: 'report', measure: REVENUE }),
  ]
  const world = createWorld({ settings: simulatedSettings({ analysis: { metrics } }) })
  let window = 0
  world.setMetricAnswers(({ metric }, version) => {
    const isNew = version === NEW
    if (isNew) window += 1
    if (metric.name === 'revenue') return value((isNew ? 11_900 : 13_400) + 150 * (window % 4))
    return counts((isNew ? 9 : 2) + (window % 3), 1000)
  })
  world.withStable()
  world.deploy(NEW)
  world.passUntil(isOver)
  const { checks, values } = evidenceOf(world)
  return {
    checks: checks.filter(({ about }) => about === 'declared'),
    values,
    views: viewOf(world).checks.filter(({ name }) => metrics.some((metric) => metric.name === name)),
  }
}
