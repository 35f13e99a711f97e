import { expect, it } from 'vitest'
import { measureCell, outcomeOf, outcomeText } from './cell.ts'
import { engine, TABLE, threshold } from './judges.ts'
import { EQUAL, steadyWorld } from './worlds.ts'

it('gives the same figures for the same name, whatever other judges look on', () => {
  const world = steadyWorld({ base: 0.1, rise: 4 }, EQUAL)
  const alone = measureCell(world, { name: 'x', runs: 5, judges: [engine(TABLE)] })
  const beside = measureCell(world, { name: 'x', runs: 5, judges: [threshold(1), engine(TABLE)] })
  expect(beside[1]).toEqual(alone[0])
})

it('counts a run without an alarm as later than any', () => {
  const never = Number.POSITIVE_INFINITY
  expect(outcomeOf([30, never, 10])).toEqual({ runs: 3, alarms: 2, medianSeconds: 30 })
  expect(outcomeOf([never, never, 10])).toEqual({ runs: 3, alarms: 1, medianSeconds: null })
})

it('says shares and times for a reader', () => {
  expect(outcomeText({ runs: 1000, alarms: 4, medianSeconds: null }, true)).toBe('0.40%')
  expect(outcomeText({ runs: 10, alarms: 10, medianSeconds: 60 }, false)).toBe('100%, 60 s')
  expect(outcomeText({ runs: 10, alarms: 10, medianSeconds: 1800 }, false)).toBe('100%, 30 min')
})
