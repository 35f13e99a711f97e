import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReleaseCounters } from '../core/shared/counters.ts'
import { LiveInstance } from './instance.ts'
import { Limits } from './limits.ts'
import { LiveSet } from './live-set.ts'
import { seededRandom } from './split.ts'
import type { Work } from './work.ts'

const SLOW_START_MS = 10_000
const PICKS = 10_000

const work = (): Work => ({
  kind: 'request',
  route: 'GET /',
  startedAt: 0,
  closeGracefully: () => undefined,
  cut: () => undefined,
  sweep: () => undefined,
})

const limits = Limits.parse({})
const instance = (at: number, warmingSince: number | null): LiveInstance => {
  const entry = { id: `${at}`, host: '127.0.0.1', port: at + 1, state: 'active' as const }
  const made = new LiveInstance('v1', entry, limits)
  made.warmingSince = warmingSince
  return made
}

/** A set whose instances began to warm up at these times (`null`: full), and a clock that the test moves. */
function warmingSet(since: readonly (number | null)[]) {
  const clock = { now: 0 }
  const instances = since.map((began, at) => instance(at, began))
  const random = seededRandom(Buffer.from('0123456789abcdef'))
  const set = new LiveSet('v1', [], new ReleaseCounters('v1'), { now: () => clock.now, random })
  set.take(instances, { slowStartMs: SLOW_START_MS })
  return { set, instances, clock }
}

function sharesOf(set: LiveSet, count: number): number[] {
  const dealt = Array.from({ length: count }, () => 0)
  for (let turn = 0; turn < PICKS; turn += 1) {
    const id = Number(set.choose(null)?.id)
    dealt[id] = (dealt[id] ?? 0) + 1
  }
  return dealt.map((one) => one / PICKS)
}

describe('an instance that warms up', () => {
  it('gets a share that grows with time, while the others share the rest equally', () => {
    const { set, clock } = warmingSet([null, null, 0])
    for (const [at, weight] of [
      [0, 0.01],
      [2_500, 0.25],
      [5_000, 0.5],
      [7_500, 0.75],
    ] as const) {
      clock.now = at
      const [first = 0, second = 0, cold = 0] = sharesOf(set, 3)
      expect(Math.abs(cold - weight / (2 + weight))).toBeLessThan(0.02)
      expect(Math.abs(first - second)).toBeLessThan(0.02)
    }
  })

  it('has exactly the share of the others when the time is over', () => {
    const { set, clock } = warmingSet([null, 0])
    clock.now = SLOW_START_MS
    expect(sharesOf(set, 2)).toEqual([0.5, 0.5])
  })

  it('shares by their warmth with others that warm up', () => {
    const { set, clock } = warmingSet([0, 4_000])
    clock.now = 6_000
    const [older = 0] = sharesOf(set, 2)
    expect(Math.abs(older - 0.75)).toBeLessThan(0.02)
  })

  it('gets nothing while it is busier than a full one', () => {
    const { set, instances, clock } = warmingSet([null, 0])
    clock.now = 9_000
    instances[1]?.enter(work())
    expect(sharesOf(set, 2)).toEqual([1, 0])
  })

  it('does not get more than its share because the full ones are busy', () => {
    const { set, instances, clock } = warmingSet([null, null, 0])
    clock.now = 1_000
    for (const at of [0, 1, 0, 1]) instances[at]?.enter(work())
    expect(sharesOf(set, 3)[2]).toBeLessThan(0.1)
  })

  it('alone in its set gets everything at any moment', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 * SLOW_START_MS }), (at) => {
        const { set, clock } = warmingSet([0])
        clock.now = at
        expect(set.choose(null)?.id).toBe('0')
      }),
    )
  })

  it('is full at once when the slow start is switched off', () => {
    const { set, instances } = warmingSet([null, 0])
    set.take(instances, { slowStartMs: 0 })
    expect(sharesOf(set, 2)).toEqual([0.5, 0.5])
  })
})

it('tries each instance exactly once, however warm they are', () => {
  const since = fc.option(fc.integer({ min: -SLOW_START_MS, max: 0 }), { nil: null })
  fc.assert(
    fc.property(fc.array(since, { maxLength: 8 }), (began) => {
      const { set } = warmingSet(began)
      const tried: LiveInstance[] = []
      for (let next = set.choose(tried); next !== null; next = set.choose(tried)) tried.push(next)
      expect(tried.map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual([...began.keys()])
    }),
  )
})
