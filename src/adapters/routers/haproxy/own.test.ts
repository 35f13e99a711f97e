import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FIRST_SLOTS } from './names.ts'
import { slotsFor } from './own.ts'

it('keeps each release where it is while it serves or drains, and gives each one exactly one backend', () => {
  const releases = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'))
  const rounds = fc.array(fc.record({ releases, draining: releases }), { maxLength: 12 })
  fc.assert(
    fc.property(rounds, (all) => {
      let slots: (string | null)[] = []
      for (const round of all) {
        const next = slotsFor(slots, round)
        const needed = new Set<string>([...round.releases, ...round.draining])
        for (const [at, release] of slots.entries())
          if (release !== null && needed.has(release)) expect(next[at]).toBe(release)
        for (const release of round.releases) expect(next.filter((one) => one === release)).toHaveLength(1)
        expect(next.length).toBeGreaterThanOrEqual(Math.max(slots.length, FIRST_SLOTS))
        slots = next
      }
    }),
  )
})

it('makes more backends only when all are needed', () => {
  const many = Array.from({ length: FIRST_SLOTS }, (_, at) => `r${at}`)
  const full = slotsFor([], { releases: many, draining: [] })
  expect(full).toHaveLength(FIRST_SLOTS)
  expect(slotsFor(full, { releases: ['new'], draining: many.slice(1) })[0]).toBe('new')
  expect(slotsFor(full, { releases: ['new'], draining: many })).toHaveLength(FIRST_SLOTS + 1)
})
