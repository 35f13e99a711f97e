import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationText, MAX_DURATION_MS, percentText, readDuration, readPercent, readWeight } from './units.ts'

test('reads durations, shares and weights', () => {
  expect(readDuration('1h30m')).toEqual({ kind: 'ok', value: 5_400_000 })
  expect(readPercent('0.1%')).toEqual({ kind: 'ok', value: 0.1 })
  expect(readWeight('0.5%')).toEqual({ kind: 'ok', value: 5 })
  expect(readWeight('99.9%')).toEqual({ kind: 'ok', value: 999 })
})

test.each([
  [readDuration(30), 'CONFIG_UNIT_MISSING', 'is 30 without a unit', 'Write 30s'],
  [readDuration('30'), 'CONFIG_UNIT_MISSING', 'is 30 without a unit', 'Write 30s'],
  [readDuration('soon'), 'CONFIG_BAD_DURATION', 'is "soon", which is no duration', '500ms'],
  [readDuration('5ms', { minMs: 20 }), 'CONFIG_OUT_OF_RANGE', 'at least 20ms', '20ms'],
  [readDuration('400d'), 'CONFIG_OUT_OF_RANGE', 'at most 366d', '366d'],
  [readPercent(5), 'CONFIG_UNIT_MISSING', 'is 5 without a unit', 'Write 5%'],
  [readPercent('< 1%'), 'CONFIG_BAD_PERCENT', '"< 1%"', '0.1%'],
  [readPercent('101%'), 'CONFIG_OUT_OF_RANGE', 'at most 100%', '100%'],
  [readWeight('0.25%'), 'CONFIG_OUT_OF_RANGE', 'finer than a tenth', '0.3%'],
  [readWeight('0%'), 'CONFIG_OUT_OF_RANGE', 'at least 0.1%', '0.1%'],
])('refuses %# with code, values and remedy', (reading, code, message, remedy) => {
  expect(reading).toMatchObject({ kind: 'refused', complaint: { code } })
  if (reading.kind !== 'refused') return
  expect(reading.complaint.message).toContain(message)
  expect(reading.complaint.remedy).toContain(remedy)
})

const backAgain = fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (ms) => {
  expect(readDuration(durationText(ms))).toEqual({ kind: 'ok', value: ms })
})
test('a printed duration reads back as itself', () => fc.assert(backAgain))

const shareBackAgain = fc.property(fc.integer({ min: 0, max: 10_000 }), (hundredths) => {
  expect(readPercent(percentText(hundredths / 100))).toEqual({ kind: 'ok', value: hundredths / 100 })
})
test('a printed share reads back as itself', () => fc.assert(shareBackAgain))
