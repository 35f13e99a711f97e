import { describe, expect, it } from 'vitest'
import type { ResourceUse, SeenUse } from '../../shared/resource-use.ts'
import { cpusOf, diskBusyPercentOf, memoryOf, percentOf } from './amount.ts'
import { addEvaluation, type Gauge, isBroken, isExcused, newGaugeState } from './gauge.ts'
import { isNewUse, presentOf, type UseBatch, useBetween, useCursorOf } from './use-batch.ts'
import { addHostUse, addUse, diskBusyPercent, figuresOfUse, noHostUse, noUse } from './use-sums.ts'

const MIB = 1024 ** 2
const of = { candidate: 'b', stable: 'a' }
const NOTHING = { candidate: {}, stable: {} }

const releaseUse = (release: string, more: Partial<ResourceUse['releases'][number]> = {}) => ({
  release,
  instances: 2,
  cpuMs: 0,
  memoryBytes: 200 * MIB,
  largestMemoryBytes: 120 * MIB,
  diskReadBytes: 0,
  diskWrittenBytes: 0,
  ...more,
})
const seen = (
  measuredAt: number,
  releases: ResourceUse['releases'],
  more: Partial<SeenUse> = {},
): SeenUse => ({
  boot: 'one',
  measuredAt,
  host: { cpus: 4, memoryBytes: 1000 * MIB, diskBusyMs: measuredAt / 2 },
  releases,
  ...more,
})
const between = (before: SeenUse, after: SeenUse, declared: Parameters<typeof presentOf>[2] = NOTHING) =>
  useBetween(useCursorOf(before, before.measuredAt, of), useCursorOf(after, after.measuredAt, of), {
    of,
    present: presentOf(after, of, declared),
  })

describe('what was used between two looks', () => {
  it('is the difference of the counters, and memory as it is now', () => {
    const batch = between(
      seen(1000, [releaseUse('a'), releaseUse('b', { cpuMs: 100 })]),
      seen(2000, [releaseUse('a', { cpuMs: 500 }), releaseUse('b', { cpuMs: 1600, diskWrittenBytes: 9 })]),
    )
    expect(batch).toMatchObject({
      sinceAt: 1000,
      ms: 1000,
      host: { cpus: 4, diskBusyMs: 500 },
      candidate: { cpuMs: 1500, diskWrittenBytes: 9, memoryBytes: 200 * MIB, instances: 2 },
      stable: { cpuMs: 500 },
    })
  })

  it('is not known across a restart of the observer, or when its clock was set', () => {
    const first = seen(1000, [releaseUse('b', { cpuMs: 100 })])
    expect(between(first, seen(2000, [releaseUse('b', { cpuMs: 200 })], { boot: 'two' }))).toBeNull()
    expect(between(first, seen(900, [releaseUse('b', { cpuMs: 200 })]))).toBeNull()
  })

  it('is not known of a version that is new, gone, or counted backwards', () => {
    const first = seen(1000, [releaseUse('a', { cpuMs: 100 })])
    expect(between(first, seen(2000, [releaseUse('a', { cpuMs: 50 }), releaseUse('b')]))).toMatchObject({
      candidate: null,
      stable: null,
    })
    expect(between(first, seen(2000, [releaseUse('a', { cpuMs: 150, instances: 0 })]))?.stable).toBeNull()
  })

  it('keeps the counters of two releases, however many there are', () => {
    const use = seen(
      1000,
      ['a', 'b', 'c', 'd'].map((release) => releaseUse(release)),
    )
    expect(Object.keys(useCursorOf(use, 0, of).releases)).toEqual(['a', 'b'])
  })

  it('waits for a time that is long enough to measure', () => {
    const cursor = useCursorOf(seen(1000, []), 0, of)
    expect(isNewUse(null, seen(1, []))).toBe(true)
    expect(isNewUse(cursor, seen(1000, []))).toBe(false)
    expect(isNewUse(cursor, seen(1499, []))).toBe(false)
    expect(isNewUse(cursor, seen(1500, []))).toBe(true)
    expect(isNewUse(cursor, seen(1001, [], { boot: 'two' }))).toBe(true)
    expect(isNewUse(cursor, seen(10, []))).toBe(true)
  })
})

const side = (
  more: Partial<NonNullable<UseBatch['candidate']>> = {},
): NonNullable<UseBatch['candidate']> => ({
  instances: 2,
  cpuMs: 1000,
  diskReadBytes: 0,
  diskWrittenBytes: 0,
  memoryBytes: 200 * MIB,
  largestMemoryBytes: 120 * MIB,
  declared: {},
  ...more,
})
const batchOf = (more: Partial<UseBatch> = {}): UseBatch => ({
  sinceAt: 0,
  ms: 1000,
  host: { cpus: 4, memoryBytes: 1000 * MIB, diskBusyMs: 900 },
  candidate: side(),
  stable: side({ cpuMs: 100 }),
  ...more,
})

describe('percentages', () => {
  it('are of what is declared for all instances, or of the host', () => {
    const batch = batchOf()
    expect(percentOf(cpusOf(side(), batch))).toBe(25)
    expect(percentOf(cpusOf(side({ declared: { cpus: 0.5 } }), batch))).toBe(100)
    expect(percentOf(memoryOf(side(), batch))).toBe(20)
    expect(percentOf(memoryOf(side({ declared: { memoryBytes: 240 * MIB } }), batch))).toBe(50)
    expect(diskBusyPercentOf(batch)).toBe(90)
    expect(diskBusyPercentOf(batchOf({ host: { cpus: 1, memoryBytes: 1, diskBusyMs: null } }))).toBeNull()
  })

  it('are summed up to means, highest ones and rates', () => {
    const quiet = batchOf({ ms: 3000, candidate: side({ cpuMs: 300, diskWrittenBytes: 8000 }) })
    const sums = addUse(addUse(noUse(), side(), batchOf(), 10), quiet.candidate, quiet, 30)
    const figures = figuresOfUse(sums)
    expect(figures).toMatchObject({
      highestCpuPercent: 25,
      memoryPercent: 20,
      diskWrittenBytesPerSecond: 2000,
      diskBytesPerInstanceSecond: 1000,
      requestsPerSecond: 10,
    })
    expect(figures?.cpus).toBeCloseTo(1.3 / 4, 12)
    expect(figures?.cpuPercent).toBeCloseTo(100 * (1.3 / 16), 12)
    expect(diskBusyPercent(addHostUse(noHostUse(), batchOf()))).toBe(90)
    expect(figuresOfUse(noUse())).toBeNull()
  })
})

const gauge = (more: Partial<Gauge> = {}): Gauge => ({
  of: 'cpu',
  name: 'CPU (warning)',
  tier: 'warning',
  limitPercent: 80,
  failures: { limit: 3, of: 5 },
  ...more,
})
const used = (candidate: number, stable: number | null): UseBatch =>
  batchOf({
    candidate: side({ cpuMs: candidate * 40 }),
    stable: stable === null ? null : side({ cpuMs: stable * 40 }),
  })
const judged = (batches: UseBatch[], { isStableServing = true, usual = 10 } = {}, one = gauge()) =>
  batches.reduce((state, batch) => {
    const figures = figuresOfUse(addUse(noUse(), side({ cpuMs: usual * 40 }), batchOf(), 1))
    return addEvaluation(one, state, batch, { at: 1, isStableServing, before: figures })
  }, newGaugeState(one))

describe('a limit of resources', () => {
  it('is broken by three of the last five evaluations, whatever lies between them', () => {
    const [high, low] = [used(90, 10), used(20, 10)]
    expect(isBroken(gauge(), judged([high, high]))).toBe(false)
    expect(isBroken(gauge(), judged([high, low, high, low, high]))).toBe(true)
    expect(isBroken(gauge(), judged([high, low, high, low, high, low]))).toBe(false)
    expect(isBroken(gauge(), judged([high, high, low, low, low, high]))).toBe(false)
  })

  it('is not broken at the limit itself', () => {
    expect(isBroken(gauge(), judged([used(80, 0), used(80, 0), used(80, 0)]))).toBe(false)
  })

  it('excuses what stable does as well, up to a quarter more', () => {
    const alike = judged([used(99, 81), used(99, 81), used(99, 81)])
    expect([isBroken(gauge(), alike), isExcused(gauge(), alike)]).toEqual([false, true])
    expect(isBroken(gauge(), judged([used(99, 79), used(99, 79), used(99, 79)]))).toBe(true)
    const more = gauge({ limitPercent: 40 })
    expect(isBroken(more, judged([used(99, 70), used(99, 70), used(99, 70)], {}, more))).toBe(true)
  })

  it('is compared with what stable used before where stable has no requests any more', () => {
    const alone = [used(95, 1), used(95, 1), used(95, 1)]
    expect(isBroken(gauge(), judged(alone, { isStableServing: false, usual: 10 }))).toBe(true)
    expect(isBroken(gauge(), judged(alone, { isStableServing: false, usual: 85 }))).toBe(false)
    expect(isBroken(gauge(), judged(alone, { isStableServing: true, usual: 85 }))).toBe(true)
  })

  it('learns nothing from an evaluation without the candidate', () => {
    const state = judged([used(90, 10), batchOf({ candidate: null })])
    expect(state.failed).toEqual([true])
  })

  it('holds a busy disk against who reads and writes much more, and not against who writes a little', () => {
    const disk = gauge({ of: 'disk', name: 'disk (warning)' })
    const writing = (candidate: number, stable: number) =>
      judged(
        Array.from({ length: 3 }, () =>
          batchOf({
            candidate: side({ diskWrittenBytes: candidate }),
            stable: side({ diskWrittenBytes: stable }),
          }),
        ),
        {},
        disk,
      )
    expect(isBroken(disk, writing(8 * MIB, MIB))).toBe(true)
    expect(isBroken(disk, writing(1.4 * MIB, MIB))).toBe(false)
    expect(isBroken(disk, writing(1000, 0))).toBe(false)
  })
})
