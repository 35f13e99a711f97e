import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Course, evidenceOf, recordedOf, replayOf, rollOut, storedEvents } from './course.test.kit.ts'

const bad: Course = { errorShare: 0.04, requestsPerSecond: 200, dispersion: null }

describe('a replay of the stored batches', () => {
  it('gives the same verdicts, crossings and evidence bit for bit, whatever happened', () => {
    const courses = fc.record(
      {
        errorShare: fc.constantFrom(0, 0.005, 0.02, 0.08, 0.5),
        requestsPerSecond: fc.constantFrom(5, 60, 400),
        dispersion: fc.constantFrom(null, 1, 2.5),
        byHand: fc.constantFrom('pause' as const, 'abort' as const),
        restartAfterMs: fc.integer({ min: 500, max: 30_000 }),
      },
      { requiredKeys: ['errorShare', 'requestsPerSecond', 'dispersion'] },
    )
    fc.assert(
      fc.property(courses, (course) => {
        const world = rollOut(course)
        const { differences, isEqual, batches } = replayOf(storedEvents(world), recordedOf(world))
        expect(differences).toEqual([])
        expect(isEqual).toBe(true)
        expect(batches).toBeGreaterThan(0)
      }),
      { numRuns: 25, seed: 20_261_121 },
    )
  })

  it('recomputes the decision itself, with what it was made on', () => {
    const world = rollOut(bad)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    const { decisions, verdicts } = replayOf(storedEvents(world), recordedOf(world))
    expect(decisions).toBeGreaterThanOrEqual(1)
    expect(verdicts).toBeGreaterThan(decisions)
  })

  it('needs no state of the service: the record that was written with the outcome is enough', () => {
    const world = rollOut(bad)
    const recorded = { ...recordedOf(world), states: null }
    expect(replayOf(storedEvents(world), recorded).isEqual).toBe(true)
    const [first] = recorded.views.filter(({ evidence }) => evidence !== undefined)
    const changed = recorded.views.map((view) =>
      view.name === first?.name && view.evidence !== undefined
        ? { ...view, evidence: { ...view.evidence, logE: view.evidence.logE + 1e-12 } }
        : view,
    )
    const { differences } = replayOf(storedEvents(world), { ...recorded, views: changed })
    expect(differences).toMatchObject([{ kind: 'check', what: first?.name }])
  })

  it('names the batch that was changed, and what came of it', () => {
    const world = rollOut(bad)
    const events = storedEvents(world)
    let number = 0
    let changed = 0
    const damaged = events.map((event) => {
      if (event.kind !== 'metrics-observed' || event.batch === null) return event
      number += 1
      const { candidate } = event.batch
      if (candidate.errors === 0 || changed > 0) return event
      changed = number
      return {
        ...event,
        batch: { ...event.batch, candidate: { ...candidate, errors: candidate.errors - 1 } },
      }
    })
    const { isEqual, differences } = replayOf(damaged, recordedOf(world))
    expect(isEqual).toBe(false)
    expect(differences[0]).toMatchObject({ kind: 'batch', batch: changed, what: 'candidate errors' })
    expect(differences.some(({ kind }) => kind === 'check')).toBe(true)
  })

  it('finds a batch that is gone', () => {
    const world = rollOut(bad)
    const events = storedEvents(world)
    const gone = events.findIndex(
      (event) => event.kind === 'metrics-observed' && (event.batch?.candidate.errors ?? 0) > 0,
    )
    const { differences } = replayOf(events.toSpliced(gone, 1), recordedOf(world))
    expect(differences[0]).toMatchObject({ kind: 'batch' })
  })
})

describe('the evidence of a rollout', () => {
  it('ends where the state ended, and crosses the threshold where it was decided', () => {
    const world = rollOut(bad)
    const { checks, batches } = evidenceOf(world)
    const states = world.state().rollout?.checks ?? []
    for (const check of checks) {
      const state = states.find(({ name }) => name === check.name)
      expect(check.peakLogE).toBe(state?.peakLogE)
      expect(check.crossedAt).toBe(state?.crossedAt ?? null)
      const highest = Math.max(0, ...check.points.map(({ logE }) => logE))
      expect(highest).toBe(Math.max(0, state?.peakLogE ?? 0))
    }
    const [worst] = checks
    expect(worst).toMatchObject({ verdict: 'worse', about: 'errors' })
    expect(worst?.crossedAtBatch).toBeGreaterThan(0)
    expect(worst?.crossedAtBatch).toBeLessThanOrEqual(batches)
    expect(worst?.pValue).toBeLessThan(0.01)
  })

  it('says of a worse one how much worse it is at least, and what would have passed', () => {
    const errors = evidenceOf(rollOut(bad)).checks.find(({ name }) => name === 'errors against stable')
    expect(errors?.verdict).toBe('worse')
    expect(errors?.atLeast.points).toBeGreaterThan(0.1)
    expect(errors?.atLeast.points).toBeLessThan(4)
    expect(errors?.passing).toBeGreaterThan(0)
    expect(errors?.passing).toBeLessThan(0.04)
  })

  it('says of a good one what nobody would have noticed, and what is still needed', () => {
    const { checks, unseen, baseline } = evidenceOf(rollOut({ ...bad, errorShare: 0, requestsPerSecond: 60 }))
    const errors = checks.find(({ name }) => name === 'errors against stable')
    expect(errors?.crossedAt).toBeNull()
    expect(errors?.leastNoticed?.points).toBeGreaterThan(0.1)
    expect(unseen[0]).toMatch(/a rise of less than about [\d.]+ points would not have been noticed with/)
    expect(baseline.before).toBe('rollout')
    expect(baseline.rows.map(({ metric }) => metric)).toEqual(
      expect.arrayContaining(['requests/s', 'error rate', 'p50', 'p95', 'p99', 'CPU', 'network out']),
    )
    expect(baseline.rows[1]).toMatchObject({ status: 'met' })
  })

  it('has at most as many points as can be drawn, and all requests in them', () => {
    const world = rollOut({ ...bad, errorShare: 0 })
    const [check] = evidenceOf(world).checks.filter(({ about }) => about === 'errors')
    expect(check?.points.length).toBeLessThanOrEqual(240)
    expect(check?.candidate.total).toBe(world.state().rollout?.total.candidate.requests)
  })
})
