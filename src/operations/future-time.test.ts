import { expect, it } from 'vitest'
import { FutureTime, futureTime } from './future-time.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')

it('reads a moment with its offset, and nothing as no time at all', () => {
  expect(futureTime('2026-11-23T09:00:00+01:00', NOW)).toEqual({
    kind: 'ok',
    value: Date.parse('2026-11-23T08:00:00Z'),
  })
  expect(futureTime(undefined, NOW)).toEqual({ kind: 'ok', value: null })
})

it('refuses a time that is over, but not for a clock that is a little behind', () => {
  expect(futureTime('2026-11-21T11:59:30Z', NOW)).toMatchObject({ kind: 'ok' })
  expect(futureTime('2026-11-21T11:00:00Z', NOW)).toMatchObject({
    kind: 'failed',
    problem: { code: 'TIME_IN_PAST' },
  })
})

it.each(['2026-11-23', '2026-11-23T09:00', 'tomorrow', ''])('asks for the offset of "%s"', (text) => {
  expect(FutureTime.safeParse(text).success).toBe(false)
})
