import { describe, expect, it } from 'vitest'
import type { Ejection } from '../core/shared/ejection.ts'
import type { OutlierPolicy } from '../core/shared/request-policy.ts'
import { Outliers } from './outliers.ts'
import type { Work } from './work.ts'

const WALL = 1_000_000
type Fake = { name: string; works: Set<Pick<Work, 'kind'>>; ejected: Ejection | null }

function among(count: number, change: Partial<OutlierPolicy> = {}) {
  const clock = { at: 0 }
  const policy = { failures: 5, forMs: 10_000, maxPercent: 50, ...change }
  const outliers = new Outliers<Fake>(policy, { now: () => clock.at, wallNow: () => WALL + clock.at })
  const members = Array.from(
    { length: count },
    (_, at): Fake => ({ name: `i${at}`, works: new Set(), ejected: null }),
  )
  outliers.take(members)
  const [first, second, third] = members
  if (first === undefined) throw new Error('nobody')
  const failTimes = (one: Fake | undefined, times: number) => {
    for (let time = 0; time < times; time += 1) if (one !== undefined) outliers.failed(one, '5xx')
  }
  const out = () => members.filter(({ ejected }) => ejected !== null).map(({ name }) => name)
  return { clock, outliers, members, first, second, third, failTimes, out }
}

describe('outliers', () => {
  it('leave out an instance after failures in a row, and say since when, until when and why', () => {
    const { outliers, first, failTimes, out } = among(3)
    failTimes(first, 4)
    expect(out()).toEqual([])
    outliers.failed(first, 'reset')
    expect(out()).toEqual(['i0'])
    expect(outliers.open.map(({ name }) => name)).toEqual(['i1', 'i2'])
    expect(first.ejected).toEqual({
      since: WALL,
      until: WALL + 10_000,
      times: 1,
      why: '5 requests in a row failed: 4 × 5xx, 1 × reset',
    })
  })

  it('begin to count anew with each answer', () => {
    const { outliers, first, failTimes, out } = among(2)
    failTimes(first, 4)
    outliers.passed(first)
    failTimes(first, 4)
    expect(out()).toEqual([])
  })

  it('are never the last instance of a release', () => {
    const alone = among(1)
    alone.failTimes(alone.first, 100)
    expect(alone.out()).toEqual([])
    const { first, second, failTimes, out, members, outliers } = among(2, { maxPercent: 100 })
    failTimes(first, 5)
    failTimes(second, 100)
    expect(out()).toEqual(['i0'])
    outliers.take(members.slice(0, 1))
    expect(first.ejected).toBeNull()
  })

  it('are never more than their share of a release, but one may always go', () => {
    const many = among(5, { maxPercent: 40 })
    for (const one of many.members) many.failTimes(one, 50)
    expect(many.out()).toEqual(['i0', 'i1'])
    const few = among(3, { maxPercent: 1 })
    for (const one of few.members) few.failTimes(one, 50)
    expect(few.out()).toEqual(['i0'])
  })

  it('go one after the other when there is room again', () => {
    const { outliers, members, first, second, failTimes, out, third } = among(4, { maxPercent: 25 })
    failTimes(first, 5)
    failTimes(second, 5)
    expect(out()).toEqual(['i0'])
    outliers.take(members.slice(1))
    if (second !== undefined) outliers.failed(second, '5xx')
    expect(out()).toEqual(['i1'])
    failTimes(third, 9)
    expect(out()).toEqual(['i1'])
  })

  it('are tried with one request at a time once their time is over, and come back after three answers', () => {
    const { clock, outliers, first, failTimes, out } = among(2)
    failTimes(first, 5)
    clock.at = 9_999
    outliers.passed(first)
    expect(outliers.onTrial(null)).toBeNull()
    clock.at = 10_000
    expect(outliers.onTrial([first])).toBeNull()
    first.works.add({ kind: 'request' })
    expect(outliers.onTrial(null)).toBeNull()
    first.works.clear()
    first.works.add({ kind: 'websocket' })
    for (const back of [false, false, true]) {
      expect(outliers.onTrial(null)).toBe(first)
      expect(outliers.passed(first)).toBe(back)
    }
    expect([out(), outliers.isAnyAway]).toEqual([[], false])
  })

  it('stay away longer each time, at most five minutes, and time in service pays that off', () => {
    const { clock, outliers, first, failTimes } = among(2)
    failTimes(first, 5)
    const lasts: number[] = []
    for (let turn = 0; turn < 40; turn += 1) {
      const until = (first.ejected?.until ?? 0) - WALL
      lasts.push(until - clock.at)
      clock.at = until
      outliers.failed(first, 'time-out')
    }
    expect(lasts.slice(0, 3)).toEqual([10_000, 20_000, 30_000])
    expect(lasts.at(-1)).toBe(300_000)
    expect(first.ejected).toMatchObject({ since: WALL, times: 41, why: 'tried again, and failed: time-out' })
    clock.at = (first.ejected?.until ?? 0) - WALL
    for (let turn = 0; turn < 3; turn += 1) outliers.passed(first)
    clock.at += 390_000
    failTimes(first, 5)
    expect(first.ejected?.times).toBe(3)
  })

  it('ignore failures of requests from before, and of instances that left', () => {
    const { clock, outliers, members, first, second, failTimes } = among(2)
    failTimes(first, 5)
    clock.at = 5_000
    failTimes(first, 5)
    expect(first.ejected?.times).toBe(1)
    outliers.take(members.slice(0, 1))
    failTimes(second, 5)
    expect([first.ejected, second?.ejected, outliers.ejections]).toEqual([null, null, 1])
  })
})
