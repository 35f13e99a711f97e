import { expect, it } from 'vitest'
import { forecastBudget, measuredBudget } from './rollback-budget.ts'

it('says the budget of the way back in a plan', () => {
  expect(forecastBudget('canary')).toBe('within 5m')
  expect(forecastBudget('blue-green')).toBe('within 30s')
})

it('warns only about a way back that took longer than its budget', () => {
  expect(measuredBudget(300_000, 'canary')).toEqual({
    text: 'traffic was off the candidate 5m after the verdict',
    isOver: false,
  })
  expect(measuredBudget(301_000, 'canary')).toEqual({
    text: 'traffic was off the candidate 5m1s after the verdict, over the budget of 5m',
    isOver: true,
  })
  expect(measuredBudget(31_000, 'blue-green').isOver).toBe(true)
})
