import { formatDuration } from '../shared/duration.ts'

/** How long the way back may take, by strategy: shown in the plan, measured, and over it warned about. */
export const ROLLBACK_BUDGET_MS = { canary: 5 * 60_000, 'blue-green': 30_000 } as const

/** `within 5m` for a plan. */
export const forecastBudget = (strategy: string): string => `within ${formatDuration(budgetOf(strategy))}`

/** What was measured, against the budget of the strategy that the plan names. */
export function measuredBudget(trafficOffMs: number, strategy: string): { text: string; isOver: boolean } {
  const budgetMs = budgetOf(strategy)
  const isOver = trafficOffMs > budgetMs
  const took = `traffic was off the candidate ${formatDuration(trafficOffMs)} after the verdict`
  return { text: isOver ? `${took}, over the budget of ${formatDuration(budgetMs)}` : took, isOver }
}

/** All traffic at once without stages goes back as a canary does. */
const budgetOf = (strategy: string): number =>
  strategy === 'blue-green' ? ROLLBACK_BUDGET_MS['blue-green'] : ROLLBACK_BUDGET_MS.canary
