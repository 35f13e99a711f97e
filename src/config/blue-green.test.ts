import { describe, expect, it } from 'vitest'
import type { BlueGreenSettings } from '../core/release/strategy-settings.ts'
import { complaintsIn, rowsIn, settingsIn } from './settings.test.kit.ts'

const fileWith = (strategy: string, production = '') => `service: shop
run: { command: node server.js, replicas: 3 }
listen: 8080
health: { path: /up }
strategy: ${strategy}
environments: { production: { ${production} } }
`

function blueGreen(strategy: string, { environment = 'local', production = '' } = {}): BlueGreenSettings {
  const found = settingsIn(fileWith(strategy, production), environment).strategy
  if (found.kind !== 'blue-green') throw new Error(`it is ${found.kind}`)
  return found
}
const problemIn = (strategy: string) => complaintsIn(fileWith(strategy))[0]

describe('strategy.blueGreen', () => {
  it('takes its defaults from one word or an empty section: one switch, a watch of an hour', () => {
    const expected = {
      kind: 'blue-green',
      steps: [{ weightPermille: 1000, pauseMs: 0, criteria: {} }],
      switchAfterMs: 0,
      previewReplicas: null,
      warmMs: 0,
      watchMs: 3_600_000,
      holdMs: 30_000,
      readyPercent: 100,
    }
    expect(blueGreen('blueGreen')).toMatchObject(expected)
    expect(blueGreen('{ blueGreen: {} }')).toMatchObject(expected)
  })

  it('keeps the old set for a day in production', () => {
    expect(blueGreen('blueGreen', { environment: 'production' }).warmMs).toBe(24 * 3_600_000)
    expect(blueGreen('{ blueGreen: { warm: 1h } }', { environment: 'production' }).warmMs).toBe(3_600_000)
  })

  it('waits before the switch for a time or for a person, with a small preview', () => {
    const section = '{ blueGreen: { switch: manual, previewReplicas: 1 } }'
    expect(blueGreen(section)).toMatchObject({ switchAfterMs: null, previewReplicas: 1 })
    expect(blueGreen('{ blueGreen: { switch: 10m } }').switchAfterMs).toBe(600_000)
  })

  it('goes on in the steps of a canary where it is told to', () => {
    const weights = (strategy: string) =>
      blueGreen(strategy).steps.map(({ weightPermille }) => weightPermille)
    expect(weights('{ blueGreen: { canary: quick } }')).toEqual([100, 500, 1000])
    expect(weights('{ blueGreen: { canary: { steps: [{ weight: 20%, pause: 1m }] } } }')).toEqual([200, 1000])
    expect(blueGreen('{ blueGreen: { canary: { earliest: 2m } } }')).toMatchObject({ earliestMs: 120_000 })
  })

  it('of an environment takes the place of the canary of the service, and of the same strategy each key', () => {
    const of = { environment: 'production', production: 'strategy: { blueGreen: { watch: 5m } }' }
    expect(blueGreen('{ canary: quick }', of)).toMatchObject({ watchMs: 300_000, holdMs: 30_000 })
    expect(blueGreen('{ blueGreen: { hold: keep, watch: 9m } }', of)).toMatchObject({
      watchMs: 300_000,
      holdMs: null,
    })
  })

  it('is explained key by key', () => {
    const shown = rowsIn(fileWith('{ blueGreen: { switch: 10m, canary: quick } }'))
      .filter(({ path }) => path.startsWith('strategy.'))
      .map((row) => `${row.path} ${row.value}`)
    expect(shown).toEqual([
      'strategy.blueGreen.switch 10m',
      'strategy.blueGreen.previewReplicas all',
      expect.stringContaining('strategy.blueGreen.canary.steps[0]'),
      expect.stringContaining('strategy.blueGreen.canary.steps[1]'),
      expect.stringContaining('strategy.blueGreen.canary.steps[2]'),
      'strategy.blueGreen.canary.earliest off',
      'strategy.blueGreen.warm 0s',
      'strategy.blueGreen.watch 1h',
      'strategy.blueGreen.lightWatch off',
      'strategy.blueGreen.hold 30s',
      'strategy.blueGreen.ready 100%',
    ])
  })

  it('is the only strategy, and has at least a name', () => {
    expect(problemIn('{ canary: quick, blueGreen: {} }')).toMatchObject({
      code: 'CONFIG_CONFLICT',
      message: expect.stringContaining('stands beside canary'),
    })
    expect(problemIn('{}')).toMatchObject({ message: expect.stringContaining('names no strategy') })
    expect(problemIn('{ blueGren: {} }')).toMatchObject({
      code: 'CONFIG_UNKNOWN_KEY',
      remedy: expect.stringContaining('blueGreen'),
    })
    expect(problemIn('{ blueGreen: { switch: 5 } }')).toMatchObject({ code: 'CONFIG_UNIT_MISSING' })
    expect(problemIn('{ blueGreen: { previewReplicas: 0 } }')).toBeDefined()
  })
})
