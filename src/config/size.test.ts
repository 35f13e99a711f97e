import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSize, SIZE_PATTERN, sizeText } from './size.ts'

test.each([
  ['512MiB', 536_870_912],
  ['1.5GiB', 1_610_612_736],
  ['1GB', 1_000_000_000],
  ['2 TiB', 2_199_023_255_552],
  ['2048KiB', 2_097_152],
  ['268435456', 268_435_456],
  ['268435456B', 268_435_456],
  [268_435_456, 268_435_456],
  ['512mib', 536_870_912],
])('reads %j as bytes', (text, bytes) => {
  expect(readSize(text)).toEqual({ kind: 'ok', value: bytes })
  expect(new RegExp(SIZE_PATTERN).test(String(text))).toBe(true)
})

test.each([
  ['512M', 'CONFIG_BAD_SIZE', 'is "512M", which is no size', 'Write 512MiB, or 512MB for powers of 1000.'],
  ['1gi', 'CONFIG_BAD_SIZE', 'is "1gi"', 'Write 1GiB, or 1GB'],
  ['much', 'CONFIG_BAD_SIZE', 'is "much"', '1.5GiB'],
  ['-1MiB', 'CONFIG_BAD_SIZE', 'is "-1MiB"', '512MiB'],
  ['1.5B', 'CONFIG_BAD_SIZE', 'is "1.5B"', '512MiB'],
  [1.5, 'CONFIG_BAD_SIZE', 'is 1.5', '512MiB'],
  [['512MiB'], 'CONFIG_BAD_SIZE', 'is a list', '512MiB'],
  [512, 'CONFIG_OUT_OF_RANGE', 'is 512, but must be at least 1MiB', 'Write 512MiB if you mean that.'],
  ['0.1MiB', 'CONFIG_OUT_OF_RANGE', 'at least 1MiB', 'Write a size of at least 1MiB.'],
  ['5000TiB', 'CONFIG_OUT_OF_RANGE', 'at most 1024TiB', 'at most 1024TiB'],
])('refuses %j with code, value and remedy', (input, code, message, remedy) => {
  expect(readSize(input)).toMatchObject({
    kind: 'refused',
    complaint: {
      code,
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    },
  })
})

const backAgain = fc.property(fc.integer({ min: 1024 ** 2, max: 1024 ** 5 }), (bytes) => {
  expect(readSize(sizeText(bytes))).toEqual({ kind: 'ok', value: bytes })
})
test('a printed size reads back as itself', () => fc.assert(backAgain))
test('a size is printed as people write it', () => {
  expect(sizeText(536_870_912)).toBe('512MiB')
  expect(sizeText(1_500_000_000)).toBe('1500MB')
})
