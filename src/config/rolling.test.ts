import { describe, expect, it } from 'vitest'
import type { RollingSettings } from '../core/release/strategy-settings.ts'
import { complaintsIn, rowsIn, settingsIn } from './settings.test.kit.ts'

const fileWith = (strategy: string, replicas = 4) => `service: shop
run: { command: node server.js, replicas: ${replicas} }
listen: 8080
health: { path: /up }
strategy: ${strategy}
`

function rolling(strategy: string, replicas?: number): RollingSettings {
  const found = settingsIn(fileWith(strategy, replicas)).strategy
  if (found.kind !== 'rolling') throw new Error(`it is ${found.kind}`)
  return found
}
const problemIn = (strategy: string, replicas?: number) => complaintsIn(fileWith(strategy, replicas))[0]

describe('strategy.rolling', () => {
  it('takes its defaults from one word or an empty section: one more than configured, none missing', () => {
    const expected = {
      kind: 'rolling',
      surge: 1,
      unavailable: 0,
      minHealthy: null,
      pauseMs: 10_000,
      criteria: {},
      watchMs: 3_600_000,
      holdMs: 0,
      readyPercent: 100,
    }
    expect(rolling('rolling')).toMatchObject(expected)
    expect(rolling('{ rolling: {} }')).toMatchObject(expected)
  })

  it('takes parts of the replicas: surge rounded up, unavailable down', () => {
    expect(rolling('{ rolling: { surge: 25%, unavailable: 25%, minHealthy: 80% } }', 5)).toMatchObject({
      surge: 2,
      unavailable: 1,
      minHealthy: 4,
    })
  })

  it('asks of each batch what a step of a canary may ask', () => {
    const found = rolling('{ rolling: { pause: manual, atMost: 1h, criteria: { errorRate: 1% } } }')
    expect(found).toMatchObject({ pauseMs: null, atMostMs: 3_600_000, criteria: { errorRatePercent: 1 } })
  })

  it.each([
    ['{ rolling: { surge: 0 } }', 'CONFIG_CONFLICT', 'no batch could ever begin'],
    [
      '{ rolling: { surge: 0, unavailable: 1, minHealthy: 4 } }',
      'CONFIG_CONFLICT',
      'no batch could ever begin',
    ],
    ['{ rolling: { surge: 0, unavailable: 4 } }', 'CONFIG_CONFLICT', 'nobody would serve'],
    ['{ rolling: { minHealthy: 5 } }', 'CONFIG_CONFLICT', 'more than the 4 of run.replicas'],
    ['{ rolling: { surge: -1 } }', 'CONFIG_WRONG_TYPE', 'is no number of instances'],
    ['{ rolling: { pause: 10m, atMost: 1m } }', 'CONFIG_CONFLICT', 'is shorter than the pause'],
    ['{ rolling: { hold: 30s } }', 'CONFIG_UNKNOWN_KEY', 'hold'],
    ['{ rolling: {}, canary: standard }', 'CONFIG_CONFLICT', 'stands beside'],
  ])('%s is refused', (strategy, code, message) => {
    const problem = problemIn(strategy)
    expect(problem?.code).toBe(code)
    expect(problem?.message).toContain(message)
    expect(problem?.remedy).not.toBe('')
  })

  it('is explained as it is written', () => {
    const values = rowsIn(fileWith('{ rolling: { surge: 50% } }')).filter(({ path }) =>
      path.startsWith('strategy.rolling'),
    )
    expect(values.map(({ path, value }) => [path, value])).toEqual([
      ['strategy.rolling.surge', '2'],
      ['strategy.rolling.unavailable', '0'],
      ['strategy.rolling.minHealthy', 'by unavailable'],
      ['strategy.rolling.pause', '10s'],
      ['strategy.rolling.criteria', '{}'],
      ['strategy.rolling.watch', '1h'],
      ['strategy.rolling.lightWatch', 'off'],
      ['strategy.rolling.ready', '100%'],
    ])
  })
})
