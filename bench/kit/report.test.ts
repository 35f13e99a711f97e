import { expect, it } from 'vitest'
import { rowLine, sectionText } from './report.ts'
import { type Bench, measured, type Row } from './row.ts'

const bench: Bench = {
  name: 'wire',
  title: 'Wire',
  method: ['How.'],
  measures: 'simulation',
  document: 'benchmarks.md',
  run: async () => [],
}
const table: Row = { kind: 'table', what: 'Side by side', head: ['a', 'long name'], lines: [['1 | 2', 'x']] }
const picture: Row = { kind: 'picture', what: 'A drawing', file: 'wire.svg', svg: '<svg/>' }
const figure = measured('speed', { unit: 'req/s', points: [{ name: 'median', value: 12.345 }], runs: 3 })

it('puts figures into one table, and tables of their own and pictures below it', () => {
  const text = sectionText({
    bench,
    rows: [table, figure, picture],
    commit: 'abc',
    date: '2026-01-01',
    machine: [],
  })
  expect(text.split('\n').slice(3)).toEqual([
    '| what | values | unit | aim | |',
    '|---|---|---|---|---|',
    '| speed | 12.3 (median of 3) | req/s |  |  |',
    '',
    '**Side by side**',
    '',
    '| a | long name |',
    '|---|---|',
    '| 1 \\| 2 | x |',
    '',
    '![A drawing](images/wire.svg)',
    '',
    '- How.',
  ])
})

it('aligns the columns of a table for the terminal', () => {
  expect(rowLine(table).split('\n')).toEqual(['', '  Side by side', '  a      long name', '  1 | 2  x'])
  expect(rowLine(picture)).toContain('docs/images/wire.svg')
})
