import { describe, expect, it } from 'vitest'
import type { Router, Strategy } from './cells.ts'
import { chapterOf, isClean, type Line } from './document.ts'

const CANARY: Strategy = { name: 'canary', settings: {} }
const RECREATE: Strategy = { name: 'recreate', settings: {}, hasOutage: true }

const way = ({ lost = 0, closed = 0, sentAgain = 0 }) => ({
  ...{ sent: 1000, lost, closed, sentAgain, brokenSockets: 0, gracefulCloses: 20, samples: [] },
})
const measured = (
  strategy: Strategy,
  cost: { lost?: number; closed?: number; sentAgain?: number } = {},
  router: Router = 'builtin',
): Line => ({
  cell: { strategy: strategy.name, target: 'processes', router },
  strategy,
  ...{ kind: 'measured', deploy: way(cost), rollback: way({}), switchMs: 12, rollbackMs: null },
  peak: { planned: 4, counted: 4 },
})
const impossible = (router: Router): Line => ({
  cell: { strategy: 'canary', target: 'processes', router },
  strategy: CANARY,
  kind: 'not-possible',
  why: 'refused: it cannot',
})

describe('a line of the matrix', () => {
  it('is clean when nothing was lost', () => {
    expect(isClean(measured(CANARY))).toBe(true)
    expect(isClean(measured(CANARY, { lost: 1 }))).toBe(false)
  })

  it('may turn users away only where the strategy says that it does', () => {
    expect(isClean(measured(RECREATE, { closed: 300 }))).toBe(true)
    expect(isClean(measured(RECREATE, { closed: 300, lost: 1 }))).toBe(false)
    expect(isClean(measured(CANARY, { closed: 300 }))).toBe(false)
  })

  it('may reset idle connections behind nginx only', () => {
    expect(isClean(measured(CANARY, { sentAgain: 2 }))).toBe(false)
    expect(isClean(measured(CANARY, { sentAgain: 2 }, 'haproxy'))).toBe(false)
    expect(isClean(measured(CANARY, { sentAgain: 2 }, 'nginx'))).toBe(true)
    expect(isClean(measured(CANARY, { sentAgain: 2, lost: 1 }, 'nginx'))).toBe(false)
  })

  it('may say that another router cannot do it, and never that ours cannot', () => {
    expect(isClean(impossible('nginx'))).toBe(true)
    expect(isClean(impossible('builtin'))).toBe(false)
  })

  it('has the outage in a column of its own', () => {
    const text = chapterOf('processes', [measured(RECREATE, { closed: 300 }), impossible('nginx')], {
      date: '2026-01-01',
      commit: 'abc',
      machine: [],
    })
    expect(text).toContain(
      '| recreate | builtin | 2000 | 0, 0 | 0 | 300, 0 | 0 | 12 ms | no request | 4 of 4 |',
    )
    expect(text).toContain('| canary | nginx | not possible: refused: it cannot |')
  })
})
