import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TOTAL_PERMILLE } from '../shared/weight.ts'
import { routesOf, safeWeights } from './routing.ts'
import { instanceOf, setOf } from './set-state.test.kit.ts'
import type { ServiceState, SetState } from './state.ts'
import { newServiceState } from './state.ts'

type Short = { ready: number; unready?: number; role?: SetState['role']; stage?: SetState['stage'] }
type Row = {
  rule: string
  sets: Record<string, Short>
  decided: Record<string, number>
  routed: Record<string, number>
}

const STABLE = 'old'

/** Each row: the sets there are, the shares that were decided, the shares that are routed. */
const TABLE: readonly Row[] = [
  {
    rule: 'both ready: as decided',
    sets: { old: { ready: 2 }, new: { ready: 1 } },
    decided: { old: 750, new: 250 },
    routed: { old: 750, new: 250 },
  },
  {
    rule: 'one ready instance carries the whole share of its release',
    sets: { old: { ready: 2 }, new: { ready: 1, unready: 3 } },
    decided: { old: 500, new: 500 },
    routed: { old: 500, new: 500 },
  },
  {
    rule: 'a candidate of which nothing is ready has no traffic, whatever was decided',
    sets: { old: { ready: 2 }, new: { ready: 0, unready: 2 } },
    decided: { old: 400, new: 600 },
    routed: { old: 1000, new: 0 },
  },
  {
    rule: 'a stable of which nothing is ready gives its share to the candidate',
    sets: { old: { ready: 0 }, new: { ready: 1 } },
    decided: { old: 900, new: 100 },
    routed: { new: 1000 },
  },
  {
    rule: 'of several that could help, stable does',
    sets: { old: { ready: 1 }, new: { ready: 0 }, kept: { ready: 5, role: 'held' } },
    decided: { old: 0, new: 1000 },
    routed: { old: 1000, kept: 0 },
  },
  {
    rule: 'without stable, the one with the most ready instances helps',
    sets: { old: { ready: 0 }, new: { ready: 1 }, kept: { ready: 2, role: 'held' } },
    decided: { old: 1000, new: 0 },
    routed: { new: 0, kept: 1000 },
  },
  {
    rule: 'one on its way out helps when nobody else can',
    sets: { old: { ready: 0 }, gone: { ready: 1, role: 'retiring' } },
    decided: { old: 1000, gone: 0 },
    routed: { gone: 1000 },
  },
  {
    rule: 'one on its way out does not help while a set that stays is ready',
    sets: { old: { ready: 0 }, new: { ready: 1 }, gone: { ready: 9, role: 'retiring' } },
    decided: { old: 1000, new: 0, gone: 0 },
    routed: { new: 1000, gone: 0 },
  },
  {
    rule: 'nothing is ready anywhere: what serves badly keeps its share, for nobody else would answer',
    sets: { old: { ready: 0, unready: 1 }, new: { ready: 0, unready: 1 } },
    decided: { old: 900, new: 100 },
    routed: { old: 900, new: 100 },
  },
  {
    rule: 'nothing runs: there are no routes',
    sets: { old: { ready: 0 }, new: { ready: 0 } },
    decided: { old: 900, new: 100 },
    routed: {},
  },
  {
    rule: 'a set that is being stopped has no routes',
    sets: { old: { ready: 1 }, gone: { ready: 1, role: 'retiring', stage: 'stopping' } },
    decided: { old: 1000, gone: 0 },
    routed: { old: 1000 },
  },
  { rule: 'nothing was decided: there are no routes', sets: { old: { ready: 2 } }, decided: {}, routed: {} },
]

describe('the routes of a service', () => {
  for (const { rule, sets, decided, routed } of TABLE)
    it(rule, () => {
      const routes = routesOf(stateOf(sets, decided))
      expect(
        Object.fromEntries(routes.map(({ release, weightPermille }) => [release, weightPermille])),
      ).toEqual(routed)
    })

  it('let an unready instance finish what it has, and give it nothing new', () => {
    const [set] = routesOf(stateOf({ old: { ready: 1, unready: 1 } }, { old: 1000 }))
    expect(set?.instances.map(({ id, state }) => [id, state])).toEqual([
      ['old-0', 'active'],
      ['old-1', 'draining'],
    ])
  })

  it('let a set without a share that is on its way out only finish', () => {
    const routes = routesOf(
      stateOf({ old: { ready: 1 }, gone: { ready: 2, role: 'retiring' } }, { old: 1000, gone: 0 }),
    )
    expect(routes.find(({ release }) => release === 'gone')?.instances.map(({ state }) => state)).toEqual([
      'draining',
      'draining',
    ])
  })

  it('send requests where they went last when every instance died, until one is back', () => {
    const before = stateOf({ old: { ready: 1 } }, { old: 1000 })
    const routes = routesOf(before)
    const after = stateOf({ old: { ready: 0 } }, { old: 1000 })
    expect(routesOf({ ...after, traffic: { ...after.traffic, routes } })).toEqual(routes)
  })

  it('hold for any sets and shares: they add up, and no share is on a set without a ready instance while another has one (INV1, INV2)', () => {
    const short = fc.record({
      ready: fc.nat({ max: 3 }),
      unready: fc.nat({ max: 2 }),
      role: fc.constantFrom<SetState['role']>('stable', 'candidate', 'warm', 'held', 'retiring'),
      stage: fc.constantFrom<SetState['stage']>('wanted', 'wanted', 'stopping'),
    })
    const cut = fc.nat({ max: TOTAL_PERMILLE })
    return fc.assert(
      fc.property(short, short, short, cut, cut, (old, fresh, kept, one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one]
        const state = stateOf(
          { old, new: fresh, kept },
          { old: low, new: high - low, kept: TOTAL_PERMILLE - high },
        )
        const weights = Object.values(safeWeights(state))
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(TOTAL_PERMILLE)
        const routes = routesOf(state)
        const isSomeoneReady = state.sets.some((set) => set.stage === 'wanted' && hasReady(set))
        for (const { release, weightPermille, instances } of routes) {
          if (weightPermille === 0) continue
          expect(instances.some((instance) => instance.state === 'active')).toBe(true)
          const set = state.sets.find((candidate) => candidate.release === release)
          if (isSomeoneReady) expect(set !== undefined && set.stage === 'wanted' && hasReady(set)).toBe(true)
        }
        const routed = routes.reduce((sum, { weightPermille }) => sum + weightPermille, 0)
        expect(isSomeoneReady ? routed : [0, TOTAL_PERMILLE].includes(routed)).toBe(
          isSomeoneReady ? TOTAL_PERMILLE : true,
        )
      }),
      { numRuns: 500 },
    )
  })
})

const hasReady = ({ instances }: SetState): boolean => instances.some(({ state }) => state === 'ready')

function stateOf(sets: Record<string, Short>, weights: Record<string, number>): ServiceState {
  const state = newServiceState('shop.local')
  return {
    ...state,
    stable: { release: STABLE, version: STABLE, since: 0 },
    sets: Object.entries(sets).map(([release, short]) => setOfShort(release, short)),
    traffic: { ...state.traffic, weights },
  }
}

function setOfShort(release: string, { ready, unready = 0, role, stage = 'wanted' }: Short): SetState {
  const instances = Array.from({ length: ready + unready }, (_, index) =>
    instanceOf(release, index, { state: index < ready ? 'ready' : 'unready' }),
  )
  return setOf(release, { role: role ?? (release === STABLE ? 'stable' : 'candidate'), stage, instances })
}
