import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReleaseWindow } from './window.ts'
import { isOpen, nextOpening, WEEKDAYS } from './window.ts'

const at = (text: string): number => Date.parse(text)
const window = (change: Partial<ReleaseWindow> = {}): ReleaseWindow => ({
  days: ['mon', 'tue', 'wed', 'thu'],
  fromMinute: 9 * 60,
  toMinute: 16 * 60,
  zone: 'Europe/Berlin',
  ...change,
})
const opening = (windows: ReleaseWindow[], now: string): string | null => {
  const found = nextOpening(windows, at(now))
  return found === null ? null : new Date(found).toISOString()
}

describe('windows', () => {
  it('are always open where there is none', () => {
    expect(isOpen([], 5)).toBe(true)
    expect(nextOpening([], 5)).toBe(5)
  })

  it.each([
    ['2026-11-19T08:00:00Z', true],
    ['2026-11-19T07:59:59Z', false],
    ['2026-11-19T14:59:59Z', true],
    ['2026-11-19T15:00:00Z', false],
    ['2026-11-20T10:00:00Z', false],
  ])('from 9 to 16 in Berlin, Monday to Thursday: at %s it is open: %s', (now, open) => {
    expect(isOpen([window()], at(now))).toBe(open)
  })

  it('open next where one of them does, and now where one is open', () => {
    const night = window({ days: ['fri'], fromMinute: 22 * 60, toMinute: 2 * 60 })
    expect(opening([window()], '2026-11-19T15:00:00Z')).toBe('2026-11-23T08:00:00.000Z')
    expect(opening([window(), night], '2026-11-19T15:00:00Z')).toBe('2026-11-20T21:00:00.000Z')
    expect(opening([window(), night], '2026-11-21T00:59:30Z')).toBe('2026-11-21T00:59:30.000Z')
    expect(opening([night], '2026-11-21T01:00:00Z')).toBe('2026-11-27T21:00:00.000Z')
  })
})

describe('over a change of the clocks', () => {
  it('nine o’clock stays nine o’clock on the wall, in spring and in autumn', () => {
    expect(opening([window()], '2026-03-27T12:00:00Z')).toBe('2026-03-30T07:00:00.000Z')
    expect(opening([window()], '2026-10-23T12:00:00Z')).toBe('2026-10-26T08:00:00.000Z')
  })

  it('a window whose first hour is left out opens when the clocks have changed', () => {
    const early = window({ days: ['sun'], fromMinute: 2 * 60 + 30, toMinute: 6 * 60 })
    expect(opening([early], '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z')
  })

  it('a window that falls into the missing hour as a whole opens a week later', () => {
    const lost = window({ days: ['sun'], fromMinute: 2 * 60 + 10, toMinute: 2 * 60 + 50 })
    expect(opening([lost], '2026-03-28T12:00:00Z')).toBe('2026-04-05T00:10:00.000Z')
  })

  it('the hour that comes twice is open twice', () => {
    const twice = window({ days: ['sun'], fromMinute: 2 * 60, toMinute: 3 * 60 })
    expect(isOpen([twice], at('2026-10-25T00:30:00Z'))).toBe(true)
    expect(isOpen([twice], at('2026-10-25T01:30:00Z'))).toBe(true)
    expect(isOpen([twice], at('2026-10-25T02:00:00Z'))).toBe(false)
  })

  it('half hours and a date line do no harm', () => {
    expect(opening([window({ zone: 'Australia/Lord_Howe' })], '2026-10-03T12:00:00Z')).toBe(
      '2026-10-04T22:00:00.000Z',
    )
    expect(opening([window({ zone: 'Pacific/Kiritimati' })], '2026-11-22T12:00:00Z')).toBe(
      '2026-11-22T19:00:00.000Z',
    )
  })
})

it('the next opening is the first open minute, whatever the zone and the window', () => {
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
  )
  const windows = fc.record({
    days: fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1, maxLength: 3 }),
    fromMinute: fc.integer({ min: 0, max: 1439 }),
    toMinute: fc.integer({ min: 0, max: 1440 }),
    zone: zones,
  })
  // Around the changes of 2026 in all of these zones.
  const moments = fc
    .tuple(
      fc.constantFrom('2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01'),
      fc.integer({ min: -1440, max: 1440 }),
    )
    .map(([day, minutes]) => at(`${day}T03:00:00Z`) + minutes * 60_000)
  fc.assert(
    fc.property(windows, moments, (one, now) => {
      const found = nextOpening([one], now)
      let minute = now
      while (!isOpen([one], minute) && minute < now + 15 * 86_400_000) minute += 60_000
      expect(found).toBe(minute)
    }),
    { numRuns: 25, seed: 20261121 },
  )
}, 60_000)
