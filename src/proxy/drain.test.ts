import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Drain } from './drain.ts'
import type { Work, WorkKind } from './work.ts'

class FakeWork implements Work {
  readonly route = 'GET /cart'
  readonly startedAt = performance.now()
  readonly kind: WorkKind
  told: number | null = null
  wasCut: number | null = null
  constructor(kind: WorkKind) {
    this.kind = kind
  }
  closeGracefully(): void {
    this.told = performance.now()
  }
  cut(): void {
    this.wasCut = performance.now()
  }
  sweep(): void {
    throw new Error('a drain does not sweep')
  }
}

describe('drain', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is done at once when nothing runs', () => {
    const drain = new Drain(new Set(), { requestsMs: 1_000, websocketsMs: 1_000 })
    expect(drain.report()).toEqual({ done: true, sinceMs: 0, cut: [], cutTotal: 0 })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits for requests, then cuts and names them', () => {
    const work = new FakeWork('request')
    const works = new Set<Work>([work])
    const drain = new Drain(works, { requestsMs: 1_000, websocketsMs: 5_000 })
    vi.advanceTimersByTime(999)
    expect(work.wasCut).toBeNull()
    vi.advanceTimersByTime(1)
    expect(work.wasCut).not.toBeNull()
    expect(drain.report()).toMatchObject({
      cutTotal: 1,
      cut: [{ route: 'GET /cart', kind: 'request', ageMs: 1_000 }],
    })
    works.delete(work)
    drain.check()
    expect(drain.done).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('spreads good-byes evenly and leaves the last one time to be answered', () => {
    const works = Array.from({ length: 100 }, () => new FakeWork('websocket'))
    const begin = performance.now()
    new Drain(new Set(works), { requestsMs: 0, websocketsMs: 10_000 })
    vi.advanceTimersByTime(4_500)
    const half = works.filter(({ told }) => told !== null).length
    expect(half).toBeGreaterThanOrEqual(49)
    expect(half).toBeLessThanOrEqual(51)
    vi.advanceTimersByTime(4_550)
    expect(works.every(({ told }) => told !== null && told - begin <= 9_050)).toBe(true)
  })

  it('does not count as cut who was told to go', () => {
    const drain = new Drain(new Set([new FakeWork('websocket')]), { requestsMs: 0, websocketsMs: 1_000 })
    vi.advanceTimersByTime(1_000)
    expect(drain.report().cutTotal).toBe(0)
  })

  it('calls back when done, also who asks late', () => {
    const work = new FakeWork('request')
    const works = new Set<Work>([work])
    const drain = new Drain(works, { requestsMs: 1_000, websocketsMs: 1_000 })
    const told: string[] = []
    drain.onceDone(() => told.push('early'))
    works.delete(work)
    drain.check()
    drain.onceDone(() => told.push('late'))
    expect(told).toEqual(['early', 'late'])
  })
})
