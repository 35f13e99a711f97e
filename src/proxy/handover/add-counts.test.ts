import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchBetween, cursorOf } from '../../core/analysis/counts-cursor.ts'
import { ServiceCounters, Tally } from '../../core/shared/counters.ts'
import type { ServiceCounts } from '../../core/shared/traffic-counts.ts'
import { addCounts, keepCounted } from './add-counts.ts'

type Step = { by: 'own' | 'before'; release: string; route: string; status: number }

const step = fc.record<Step>({
  by: fc.constantFrom('own', 'before'),
  release: fc.constantFrom('v1', 'v2'),
  route: fc.constantFrom('GET /', 'POST /orders', 'GET /cart'),
  status: fc.constantFrom(200, 302, 404, 500),
})

function count(counters: ServiceCounters, { release, route, status }: Omit<Step, 'by'>): void {
  const tally = new Tally(counters.release(release), route)
  tally.answered(status)
  tally.took(12)
  tally.passedOut(100)
}

/** What is counted so far: shared with nobody who counts on. */
const reportOf = (counters: ServiceCounters): ServiceCounts =>
  structuredClone(counters.report('shop', 'boot'))

const byRelease = ({ releases }: ServiceCounts) =>
  Object.fromEntries(releases.map(({ release, total, routes }) => [release, { total, routes }]))

describe('the sum of what two processes counted', () => {
  it('is what one process would have counted', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [own, before, one] = [new ServiceCounters(), new ServiceCounters(), new ServiceCounters()]
        for (const each of steps) {
          count(each.by === 'own' ? own : before, each)
          count(one, each)
        }
        expect(byRelease(addCounts(reportOf(own), reportOf(before)))).toEqual(byRelease(reportOf(one)))
      }),
    )
  })

  it('has what is missing of each, and says nothing where nothing is', () => {
    const counts = reportOf(new ServiceCounters())
    expect(addCounts(counts, counts).missing).toBeUndefined()
    expect(addCounts({ ...counts, missing: 2 }, counts).missing).toBe(2)
    expect(addCounts({ ...counts, missing: 2 }, { ...counts, missing: 3 }).missing).toBe(5)
  })

  it('gives whoever takes differences each request once, whichever process counts it', () => {
    fc.assert(
      fc.property(fc.array(step), fc.array(step), (first, then) => {
        const [own, before] = [new ServiceCounters(), new ServiceCounters()]
        // Until the new process serves, only the old one counts; from then on both do.
        for (const each of first) count(before, each)
        const last = cursorOf(reportOf(before), 1000)
        for (const each of then) count(each.by === 'own' ? own : before, each)
        const next = cursorOf(addCounts(reportOf(own), reportOf(before)), 2000)
        const batch = batchBetween(last, next, { candidate: 'v2', stable: 'v1' })
        const of = (release: string) => then.filter((each) => each.release === release)
        expect(batch.requests).toBe(then.length)
        expect(batch.candidate.requests).toBe(of('v2').length)
        expect(batch.stable.errors).toBe(of('v1').filter(({ status }) => status === 500).length)
      }),
    )
  })

  it('adds what is in no release, too', () => {
    const [own, before] = [new ServiceCounters(), new ServiceCounters()]
    Object.assign(own, { unroutable: 2, refused: 3 })
    Object.assign(before, { unroutable: 5, closed: 7, refused: 11 })
    expect(addCounts(reportOf(own), reportOf(before))).toMatchObject({
      unroutable: 7,
      closed: 7,
      refused: 14,
    })
  })

  it('adds requests that are apart by release and by reason', () => {
    const apart = (by: 'preview' | 'rule') => {
      const counters = new ServiceCounters()
      count(counters, { release: 'v1', route: 'GET /', status: 200 })
      return counters.totals(by)
    }
    const none = reportOf(new ServiceCounters())
    const sum = addCounts(
      { ...none, apart: apart('rule') },
      { ...none, apart: [...apart('rule'), ...apart('preview')] },
    )
    expect(sum.apart?.map(({ by, total }) => [by, total.requests])).toEqual([
      ['rule', 2],
      ['preview', 1],
    ])
  })

  it('adds users and goals of the test that is on, and leaves out those of one that is over', () => {
    const none = reportOf(new ServiceCounters())
    const arm = (salt: string, users: number) => ({ salt, variant: null, users, goals: 1 })
    expect(
      addCounts({ ...none, variants: [arm('now', 3)] }, { ...none, variants: [arm('now', 4)] }).variants,
    ).toEqual([{ salt: 'now', variant: null, users: 7, goals: 2 }])
    expect(
      addCounts({ ...none, variants: [arm('now', 3)] }, { ...none, variants: [arm('old', 4)] }).variants,
    ).toEqual([arm('now', 3)])
    expect(addCounts(none, { ...none, variants: [arm('old', 4)] }).variants).toBeUndefined()
  })

  it('adds copies of the same comparison alone', () => {
    const none = reportOf(new ServiceCounters())
    const zero = new ServiceCounters().release('v1').report().total
    const shadow = (salt: string, answered: number) => ({
      ...{ salt, release: 'v2', answered, statusDiffers: 1, bodyDiffers: 0, bodyUnknown: 0 },
      ...{ busy: 2, large: 0, unfinished: 0, candidate: zero, stable: zero },
    })
    const sum = (own: string, before: string) =>
      addCounts({ ...none, shadow: shadow(own, 3) }, { ...none, shadow: shadow(before, 4) }).shadow
    expect(sum('a', 'a')).toMatchObject({ answered: 7, statusDiffers: 2, busy: 4 })
    expect(sum('b', 'a')).toMatchObject({ salt: 'b', answered: 3 })
    expect(addCounts(none, { ...none, shadow: shadow('a', 4) }).shadow).toMatchObject({ answered: 4 })
  })

  it('keeps the classes of routes to as many as one process has, and takes none away', () => {
    const [own, before] = [new ServiceCounters(), new ServiceCounters()]
    for (let number = 0; number < 40; number += 1) {
      count(before, { release: 'v1', route: `GET /old-${number}`, status: 200 })
      count(own, { release: 'v1', route: `GET /new-${number}`, status: 200 })
    }
    const routes = addCounts(reportOf(own), reportOf(before)).releases[0]?.routes ?? {}
    expect(Object.keys(routes).length).toBe(65)
    expect(routes['GET /old-39']?.requests).toBe(1)
    expect(routes.other?.requests).toBe(16)
  })
})

it('what is handed on is not more and more: releases that are not in use are forgotten, the oldest first', () => {
  const counters = new ServiceCounters()
  for (const release of ['v1', 'v2', 'v3', 'v4']) count(counters, { release, route: 'GET /', status: 200 })
  const kept = (most: number) =>
    keepCounted(reportOf(counters), new Set(['v1']), most).releases.map(({ release }) => release)
  expect(kept(4)).toEqual(['v1', 'v2', 'v3', 'v4'])
  expect(kept(2)).toEqual(['v1', 'v4'])
  expect(kept(0)).toEqual(['v1'])
})
