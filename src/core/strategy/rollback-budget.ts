import { formatDuration } from '../shared/duration.ts'

/** How long the way back may take, by strategy: shown in the plan, measured, and over it warned about. */
export const ROLLBACK_BUDGET_MS = {
  canary: 5 * 60_000,
  'blue-green': 30_000,
  rolling: 15 * 60_000,
  recreate: 5 * 60_000,
} as const

/** `within 5m` for a plan. */
export const forecastBudget = (strategy: string): string => `within ${formatDuration(budgetMsOf(strategy))}`

/** What was measured, against the budget of the strategy that the plan names. */
export function measuredBudget(trafficOffMs: number, strategy: string): { text: string; isOver: boolean } {
  const budgetMs = budgetMsOf(strategy)
  const isOver = trafficOffMs > budgetMs
  const what = strategy === 'recreate' ? 'users were served again' : 'traffic was off the candidate'
  const took = `${what} ${formatDuration(trafficOffMs)} after the verdict`
  return { text: isOver ? `${took}, over the budget of ${formatDuration(budgetMs)}` : took, isOver }
}

/** In ms. All traffic at once without stages goes back as a canary does. */
export const budgetMsOf = (strategy: string): number =>
  strategy === 'blue-green' || strategy === 'rolling' || strategy === 'recreate'
    ? ROLLBACK_BUDGET_MS[strategy]
    : ROLLBACK_BUDGET_MS.canary
