import { describe, expect, it } from 'vitest'
import { NO_SIDE_ROUTES } from '../../core/shared/side-routes.ts'
import { LogArms, readVisit, saltWord, testOf } from './log-arms.ts'

const SALT = 'rollout-1'
const test = saltWord(SALT)
const goals = (arms: LogArms) => arms.report().map(({ variant, users, goals }) => [variant, users, goals])

describe('arms of an A/B test from log lines', () => {
  it('count new users at once, and goals that were answered', () => {
    const arms = new LogArms({ salt: SALT, variants: ['green'] })
    arms.take({ test, variant: 'green', isNew: true, isGoal: true }, false)
    arms.take({ test, variant: 'green', isNew: false, isGoal: true }, true)
    arms.take({ test, variant: null, isNew: true, isGoal: false }, true)
    expect(goals(arms)).toEqual([
      [null, 1, 0],
      ['green', 1, 1],
    ])
    expect(goals(arms.anew())).toEqual([
      [null, 0, 0],
      ['green', 0, 0],
    ])
  })

  it('count nothing of another test, and of no variant that there is not', () => {
    const arms = new LogArms({ salt: SALT, variants: ['green'] })
    arms.take({ test: saltWord('rollout-0'), variant: null, isNew: true, isGoal: true }, true)
    arms.take({ test, variant: 'blue', isNew: true, isGoal: true }, true)
    expect(goals(arms)).toEqual([
      [null, 0, 0],
      ['green', 0, 0],
    ])
  })

  it('are there while the variants have their shares, and not before or after', () => {
    const variants = [{ name: 'green', sharePermille: 200 }]
    const ab = { by: null, variants, goal: { method: 'GET', path: '/' } }
    const sticky = { kind: 'assign' as const, cookie: 'a', forMs: 1, salt: SALT, release: 'new', test: ab }
    const sets = (weightPermille: number) => [
      { release: 'new', version: '2', weightPermille, instances: [] },
      { release: 'old', version: '1', weightPermille: 1_000 - weightPermille, instances: [] },
    ]
    expect(testOf({ sticky, sets: sets(200) })).toEqual({ salt: SALT, variants: ['green'] })
    expect(testOf({ sticky, sets: sets(1_000) })).toBeNull()
    expect(testOf({ ...NO_SIDE_ROUTES, sets: sets(200) })).toBeNull()
  })

  it('read what routers write, with a word or a dash for what they do not know', () => {
    expect(readVisit(`${test}:green:36:1`)).toEqual({ test, variant: 'green', isNew: true, isGoal: true })
    expect(readVisit(`${test}:.:-:`)).toEqual({ test, variant: null, isNew: false, isGoal: false })
    for (const text of ['-', '', `${test}::1:1`, `${test}:a:1`]) expect(readVisit(text)).toBeNull()
  })
})
