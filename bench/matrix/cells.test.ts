import { describe, expect, it } from 'vitest'
import { cellsOf, ROUTERS, STRATEGIES } from './cells.ts'

const EVERYTHING = { strategies: [], targets: [], routers: [], quick: false }

describe('the lines of the matrix', () => {
  it('are each strategy behind each router, and workers once', () => {
    const cells = cellsOf(EVERYTHING)
    const withRequests = STRATEGIES.filter(({ work }) => work === undefined).length
    expect(cells).toHaveLength(withRequests * ROUTERS.length + STRATEGIES.length - withRequests)
    expect(cells.filter(({ strategy }) => strategy.endsWith('of workers'))).toHaveLength(2)
  })

  it('are, quickly, each strategy and each router once', () => {
    const cells = cellsOf({ ...EVERYTHING, quick: true })
    expect(cells).toHaveLength(STRATEGIES.length + ROUTERS.length - 1)
    expect(new Set(cells.map(({ router }) => router))).toEqual(new Set(ROUTERS))
  })

  it('are those of a router that is asked for', () => {
    const cells = cellsOf({ ...EVERYTHING, routers: ['nginx'], strategies: ['canary', 'rolling'] })
    expect(cells).toEqual([
      { strategy: 'canary', target: 'processes', router: 'nginx' },
      { strategy: 'rolling', target: 'processes', router: 'nginx' },
    ])
  })
})
