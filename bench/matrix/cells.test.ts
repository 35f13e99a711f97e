import { describe, expect, it } from 'vitest'
import { cellsOf, ROUTERS, STRATEGIES, TARGETS } from './cells.ts'

const EVERYTHING = { strategies: [], targets: [], routers: [], quick: false }

describe('the lines of the matrix', () => {
  it('are each strategy on each target behind each router, and workers once on each', () => {
    const cells = cellsOf(EVERYTHING)
    const withRequests = STRATEGIES.filter(({ work }) => work === undefined).length
    const ofTarget = withRequests * ROUTERS.length + STRATEGIES.length - withRequests
    expect(cells).toHaveLength(TARGETS.length * ofTarget)
    expect(cells.filter(({ strategy }) => strategy.endsWith('of workers'))).toHaveLength(2 * TARGETS.length)
  })

  it('are, quickly, one of each strategy, among them each target and router', () => {
    const cells = cellsOf({ ...EVERYTHING, quick: true })
    expect(cells.map(({ strategy }) => strategy)).toEqual(STRATEGIES.map(({ name }) => name))
    expect(new Set(cells.map(({ router }) => router))).toEqual(new Set(ROUTERS))
    expect(new Set(cells.map(({ target }) => target))).toEqual(new Set(TARGETS))
  })

  it('are, quickly, one of each router and target even when there are fewer strategies', () => {
    const cells = cellsOf({ ...EVERYTHING, strategies: ['canary'], quick: true })
    expect(cells).toEqual([
      { strategy: 'canary', target: 'processes', router: 'builtin' },
      { strategy: 'canary', target: 'docker', router: 'haproxy' },
      { strategy: 'canary', target: 'processes', router: 'nginx' },
    ])
  })

  it('are those of a router and a target that are asked for', () => {
    const cells = cellsOf({
      ...EVERYTHING,
      targets: ['processes'],
      routers: ['nginx'],
      strategies: ['canary', 'rolling'],
    })
    expect(cells).toEqual([
      { strategy: 'canary', target: 'processes', router: 'nginx' },
      { strategy: 'rolling', target: 'processes', router: 'nginx' },
    ])
  })
})
