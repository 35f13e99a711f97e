import { describe, expect, it } from 'vitest'
import type { RecreateSettings } from '../core/release/strategy-settings.ts'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'

const text = (strategy: string, service: string): string => `service: shop
run: { command: node server.js, replicas: 2 }
${service}
strategy: ${strategy}
`
const WITH_HTTP = 'listen: 8080\nhealth: { path: /up }'
const WORKER = 'listen: none\nhealth: { command: ./well }'

const load = (strategy: string, service = WITH_HTTP) =>
  loadConfig({ file: 'sluice.yaml', text: text(strategy, service) })
function recreate(strategy: string, service?: string): RecreateSettings {
  const result = load(strategy, service)
  if (result.kind === 'failed') throw new Error(result.problem[0]?.message)
  const found = result.value.services[0]?.strategy
  if (found?.kind !== 'recreate') throw new Error(`it is ${found?.kind}`)
  return found
}
const problemIn = (strategy: string, service?: string) => {
  const result = load(strategy, service)
  return result.kind === 'failed' ? result.problem[0] : undefined
}

describe('strategy.recreate', () => {
  it('takes its defaults from one word or an empty section, and holds nothing after an abort', () => {
    const expected = {
      kind: 'recreate',
      retryAfterS: 5,
      watchMs: 3_600_000,
      holdMs: 0,
      readyPercent: 100,
      lightWatch: null,
    }
    expect(recreate('recreate')).toEqual(expected)
    expect(recreate('{ recreate: {} }')).toEqual(expected)
  })

  it('tells clients to come back after whole seconds', () => {
    expect(recreate('{ recreate: { retryAfter: 1500ms } }').retryAfterS).toBe(2)
    expect(recreate('{ recreate: { retryAfter: 2m, watch: 5m, ready: 50% } }')).toMatchObject({
      retryAfterS: 120,
      watchMs: 300_000,
      readyPercent: 50,
    })
  })

  it('is for workers, too, whom nobody asks', () => {
    expect(recreate('recreate', WORKER)).toMatchObject({ kind: 'recreate', lightWatch: null })
    expect(problemIn('{ recreate: { retryAfter: 9s } }', WORKER)?.message).toContain('needs an address')
  })

  it.each([
    ['{ recreate: { retryAfter: 0s } }', 'CONFIG_OUT_OF_RANGE', 'retryAfter'],
    ['{ recreate: { retryAfter: 2h } }', 'CONFIG_OUT_OF_RANGE', 'retryAfter'],
    ['{ recreate: { retryAfter: soon } }', 'CONFIG_BAD_DURATION', 'retryAfter'],
    ['{ recreate: { hold: 30s } }', 'CONFIG_UNKNOWN_KEY', 'hold'],
    ['{ recreate: { surge: 1 } }', 'CONFIG_UNKNOWN_KEY', 'surge'],
    ['{ recreate: {}, rolling: {} }', 'CONFIG_CONFLICT', 'stands beside'],
  ])('%s is refused', (strategy, code, message) => {
    const problem = problemIn(strategy)
    expect([problem?.code, problem?.message]).toEqual([code, expect.stringContaining(message)])
    expect(problem?.remedy).not.toBe('')
  })

  it('is explained as it is written', () => {
    const result = load('recreate')
    if (result.kind === 'failed') throw new Error(result.problem[0]?.message)
    const values = explainSettings(result.value).filter(({ path }) => path.startsWith('strategy'))
    expect(values.map(({ path, value }) => [path, value])).toEqual([
      ['strategy.recreate.retryAfter', '5s'],
      ['strategy.recreate.watch', '1h'],
      ['strategy.recreate.lightWatch', 'off'],
      ['strategy.recreate.ready', '100%'],
    ])
  })
})
