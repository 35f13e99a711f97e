import { expect, it } from 'vitest'
import { formatBothZones, formatMoment, formatOffset } from './moment.ts'

const AT = Date.UTC(2026, 10, 21, 14, 32, 10)

it('shows the clock alone today, and the day when it was another one', () => {
  expect(formatMoment(AT, 'utc', AT + 3_600_000)).toBe('14:32:10')
  expect(formatMoment(AT, 'utc', AT + 24 * 3_600_000)).toBe('21 Nov 14:32:10')
})

it('names both zones', () => {
  expect(formatBothZones(AT)).toContain('21 Nov 2026, 14:32:10 UTC')
  expect(formatBothZones(AT)).toContain(`(${formatOffset(AT)})`)
})
