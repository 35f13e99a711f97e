import { describe, expect, it } from 'vitest'
import { stagesOf } from '../core/release/strategy-settings.ts'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'
import { isOnlyProblem, withLines } from './load-problems.test.fixture.ts'

function loaded(...lines: string[]) {
  const found = loadConfig({ file: 'sluice.yaml', text: withLines(...lines) })
  if (found.kind === 'failed') throw new Error(found.problem[0]?.message)
  return found.value
}
const stageIn = ({ services: [service] }: ReturnType<typeof loaded>) =>
  service === undefined ? undefined : stagesOf(service.strategy)[0]
const step = (keys: string): string => `strategy: { canary: { steps: [{ weight: 5%, ${keys} }] } }`

describe('the criteria of a step', () => {
  it('ask for what they name and nothing else, and are shown as they are written', () => {
    const keys =
      'pause: 5m, atMost: 1h, criteria: { p50: 80ms, errorPointsOverStable: 0.5%, throughput: 90% }'
    const config = loaded(step(keys))
    expect(stageIn(config)).toEqual({
      weightPermille: 50,
      pauseMs: 300_000,
      atMostMs: 3_600_000,
      criteria: { p50Ms: 80, errorPointsOverStable: 0.5, throughputPercent: 90 },
    })
    expect(explainSettings(config).find(({ path }) => path === 'strategy.canary.steps[0]')?.value).toBe(
      '{ weight: 5%, pause: 5m, atMost: 1h, criteria: { p50: 80ms, errorPointsOverStable: 0.5%, throughput: 90% } }',
    )
  })

  it.each([
    [step('pause: 2h, atMost: 1h'), '7:64', 'is shorter than the pause', 'Write'],
    [step('atMost: 9m'), '7:53', 'is shorter than the pause', 'Write'],
    [
      'strategy: { canary: { steps: [{ weight: 100%, atMost: 1h }] } }',
      '7:55',
      'stands at a step of 100%',
      'Remove it',
    ],
  ])('in %s is refused', (line, place, message, remedy) => {
    isOnlyProblem('CONFIG_CONFLICT', withLines(line), place, message, remedy)
  })

  it('may pause a step without an end', () => {
    expect(stageIn(loaded(step('pause: manual, atMost: 1s')))).toMatchObject({
      pauseMs: null,
      atMostMs: 1000,
    })
  })
})

describe('alerts', () => {
  it('pause when they are critical and are told otherwise, unless the file says so', () => {
    expect(loaded().services[0]?.analysis.alerts).toEqual({ critical: 'pause', warning: 'report', match: {} })
    const config = loaded('analysis: { alerts: { critical: rollback, match: { team: "the shop" } } }')
    expect(config.services[0]?.analysis.alerts).toEqual({
      critical: 'rollback',
      warning: 'report',
      match: { team: 'the shop' },
    })
    const rows = new Map(
      explainSettings(config).map(({ path, value, originText }) => [path, `${value} <- ${originText}`]),
    )
    expect(rows.get('analysis.alerts.match')).toBe('{ team: "the shop" } <- sluice.yaml:7:50')
    expect(rows.get('analysis.alerts.warning')).toBe('report <- default')
  })

  it.each([
    ['critical: stop', 'CONFIG_WRONG_VALUE', 'is "stop", but must be', 'rollback'],
    ['info: pause', 'CONFIG_UNKNOWN_KEY', 'unknown key "info"', 'critical'],
    ['match: { a-b: c }', 'CONFIG_BAD_NAME', 'no possible label', 'letters'],
    ['match: { team: 7 }', 'CONFIG_WRONG_TYPE', 'must be text', 'quotes'],
    [
      `match: { ${Array.from({ length: 11 }, (_, index) => `l${index}: x`).join(', ')} }`,
      'CONFIG_OUT_OF_RANGE',
      'has 11 labels',
      'sender',
    ],
  ])('with %s are refused', (keys, code, message, remedy) => {
    const found = loadConfig({ file: 'sluice.yaml', text: withLines(`analysis: { alerts: { ${keys} } }`) })
    expect(found.kind === 'failed' && found.problem).toMatchObject([
      { code, message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) },
    ])
  })
})
