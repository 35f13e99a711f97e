import { expect, it } from 'vitest'
import { deviationOf } from './deviation.ts'

const LIMITS = { kind: 'value', warningPercent: 10, criticalPercent: 30 } as const

it.each([
  ['less-is-worse', 100, 95, 'ok'],
  ['less-is-worse', 100, 90, 'warning'],
  ['less-is-worse', 100, 70, 'critical'],
  ['less-is-worse', 100, 500, 'ok'],
  ['more-is-worse', 100, 110, 'warning'],
  ['more-is-worse', 100, 1, 'ok'],
  ['either', 100, 111, 'warning'],
  ['either', 100, 60, 'critical'],
  ['less-is-worse', -100, -120, 'warning'],
] as const)('%s: from %d to %d is %s', (direction, stable, candidate, level) => {
  expect(deviationOf({ candidate, stable }, { ...LIMITS, direction })).toMatchObject({
    kind: 'measured',
    level,
  })
})

it('says nothing where stable is zero', () => {
  expect(deviationOf({ candidate: 5, stable: 0 }, { ...LIMITS, direction: 'either' })).toEqual({
    kind: 'stable-is-zero',
  })
})

it('never rolls back without a declared critical limit, nor without harm', () => {
  const measure = { ...LIMITS, criticalPercent: null, direction: 'less-is-worse' } as const
  expect(deviationOf({ candidate: 0, stable: 100 }, measure)).toMatchObject({ level: 'warning' })
  expect(deviationOf({ candidate: 100, stable: 100 }, { ...measure, warningPercent: 0 })).toMatchObject({
    level: 'ok',
  })
})
