import { expect, it } from 'vitest'
import type { NewErrorView } from '../../core/rollout/view/view.ts'
import { rolloutView } from '../fixture/view.test.fixture.ts'
import { paintLine } from '../text/line.ts'
import { newErrorLines } from './new-errors.ts'

const error = (example: string, more: Partial<NewErrorView> = {}): NewErrorView => ({
  template: example,
  example,
  count: 2,
  firstAt: 0,
  lastAt: 1,
  isShown: false,
  sentence: example,
  ...more,
})
const textOf = (newErrors: NewErrorView[]): string[] =>
  newErrorLines(rolloutView({ newErrors })).map((line) => paintLine(line, false))

it('shows the first new errors with how often they were written, and says how many more there are', () => {
  expect(textOf([error('a', { count: 1 }), error('b'), error('c'), error('d')])).toEqual([
    '  new error 1 time a',
    '            2 times b',
    '            2 times c',
    '            and 1 more kind',
  ])
})

it('shows nothing where there is nothing, and lets no control of a terminal through', () => {
  expect(textOf([])).toEqual([])
  expect(newErrorLines(null)).toEqual([])
  expect(textOf([error('\u001b[2Jgone')]).join('')).not.toContain('\u001b')
})
