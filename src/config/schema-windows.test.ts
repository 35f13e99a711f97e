import { describe, expect, test } from 'vitest'
import { loadConfig } from './load.ts'

const FILE = `service: shop
run: { command: node server.js }
listen: 8080
health: { path: /up }
environments:
  production:
    windows:
      - { days: mon-thu, from: "09:00", to: "16:00", zone: Europe/Berlin }
`
const load = (text: string, environment = 'production') =>
  loadConfig({ file: 'sluice.yaml', text, environment })
const windowsIn = (text: string, environment?: string) => {
  const loaded = load(text, environment)
  return loaded.kind === 'ok' ? loaded.value.services[0]?.windows : loaded.problem
}

describe('windows', () => {
  test('belong to the environment that names them', () => {
    expect(windowsIn(FILE)).toEqual([
      { days: ['mon', 'tue', 'wed', 'thu'], fromMinute: 540, toMinute: 960, zone: 'Europe/Berlin' },
    ])
    expect(windowsIn(FILE, 'local')).toEqual([])
  })

  test.each([
    ['sat', ['sat']],
    ['sat-mon', ['mon', 'sat', 'sun']],
    ['[wed, fri-sat]', ['wed', 'fri', 'sat']],
  ])('days %s', (days, expected) => {
    expect(windowsIn(FILE.replace('mon-thu', days))).toMatchObject([{ days: expected }])
  })

  test.each([
    ['mon-thu', 'mom', 'CONFIG_BAD_DAYS', 'names no weekdays'],
    ['mon-thu', '[]', 'CONFIG_BAD_DAYS', 'names no weekdays'],
    ['"09:00"', '9', 'CONFIG_BAD_TIME', 'no time of day'],
    ['"16:00"', '"24:30"', 'CONFIG_BAD_TIME', 'no time of day'],
    ['Europe/Berlin', 'Berlin', 'CONFIG_BAD_ZONE', 'no time zone'],
    ['Europe/Berlin', '"+01:00"', 'CONFIG_BAD_ZONE', 'no time zone'],
    ['"16:00"', '"09:00"', 'CONFIG_CONFLICT', 'the time at which it closes'],
    ['"09:00"', '"24:00"', 'CONFIG_CONFLICT', 'when no day begins'],
  ])('with %s as %s are refused: %s', (key, value, code, message) => {
    expect(windowsIn(FILE.replace(key, value))).toMatchObject([
      { code, message: expect.stringContaining(message), at: { line: 8 } },
    ])
  })
})

test('drift and onFreeze have defaults that change nothing by themselves, and only two words each', () => {
  const plain = load(FILE)
  expect(plain).toMatchObject({ value: { services: [{ drift: 'correct', onFreeze: 'hold' }] } })
  expect(load(`${FILE}    drift: hold\n    onFreeze: return\n`)).toMatchObject({
    value: { services: [{ drift: 'hold', onFreeze: 'return' }] },
  })
  expect(load(`${FILE}    drift: maybe\n`).kind).toBe('failed')
})
