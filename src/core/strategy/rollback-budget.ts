import { formatDuration } from '../shared/duration.ts'

/** How long the way back may take, by strategy: shown in the plan, measured, and over it warned about. */
export const ROLLBACK_BUDGET_MS = { canary: 5 * 60_000 } as const

/** `within 5m` for a plan. */
export const forecastBudget = (): string => `within ${formatDuration(ROLLBACK_BUDGET_MS.canary)}`

/** What was measured, against the budget. */
export function measuredBudget(trafficOffMs: number): { text: string; isOver: boolean } {
  const isOver = trafficOffMs > ROLLBACK_BUDGET_MS.canary
  const took = `traffic was off the candidate ${formatDuration(trafficOffMs)} after the verdict`
  return {
    text: isOver ? `${took}, over the budget of ${formatDuration(ROLLBACK_BUDGET_MS.canary)}` : took,
    isOver,
  }
}
