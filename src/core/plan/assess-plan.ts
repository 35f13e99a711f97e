import type { Release } from '../release/release.ts'
import { budgetMsOf } from '../strategy/rollback-budget.ts'
import { capacityOf } from './capacity.ts'
import type { PlanContent } from './compose.ts'
import { recommend } from './recommendation/recommend.ts'
import { assessRisk } from './risk/assess.ts'
import type { Reach } from './risk/blast-radius.ts'
import { changeFacts } from './risk/change-facts.ts'
import { worst } from './risk/level.ts'
import type { Moment } from './risk/timing.ts'

export type AssessInput = {
  release: Release
  stable: Release | null
  trafficOffMs: readonly number[]
  measured: Reach['measured']
  moment: Moment
}

/** Adds to a plan what people need to judge it: its risk, the strategy that would fit, and what it needs at its peak. Pure. */
export function assessPlan(plan: PlanContent, input: AssessInput): PlanContent {
  const { release, stable, trafficOffMs, measured, moment } = input
  const { settings } = release
  const capacity = capacityOf(plan, { settings, stable: stable?.settings.run.replicas ?? 0 })
  if (plan.kind === 'none') return { ...plan, ...capacity }
  const declared = settings.risk ?? {}
  const changes = stable === null ? null : changeFacts(stable, release, plan.changes)
  const stopsFirst = plan.outage !== undefined
  const allAtOnce = plan.strategy === 'full' || stopsFirst
  const shrinksStable = plan.steps.some(({ step }) => step.kind === 'shrink')
  const risk = assessRisk({
    back: {
      stable,
      release,
      changes,
      allAtOnce,
      shrinksStable,
      stopsFirst,
      budgetMs: budgetMsOf(plan.strategy),
      trafficOffMs,
    },
    reach: { declared, measured, production: settings.production },
    moment,
  })
  const isDeploy = plan.kind === 'deploy' || plan.kind === 'first'
  // By the factors alone: the strategy of the file makes the way back long or short, and shall not recommend itself.
  const level = worst(risk.factors.map((factor) => factor.level))
  const recommendation = recommend({ declared, risk: level, changes, strategy: settings.strategy })
  return { ...plan, ...capacity, risk, ...(isDeploy ? { recommendation } : {}) }
}
