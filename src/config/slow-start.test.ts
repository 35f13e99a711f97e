import { describe, expect, it } from 'vitest'
import { ServiceSettings } from '../core/release/settings.ts'
import { explainSettings } from './explain.ts'
import { type LoadedConfig, loadConfig } from './load.ts'

const fileWith = (health: string) => `service: shop
run: { command: node server.js }
listen: 8080
health: { path: /up${health} }
environments: { production: { health: { slowStart: 2m } } }
`

function loaded(health: string, environment = 'local'): LoadedConfig {
  const result = loadConfig({ file: 'sluice.yaml', text: fileWith(health), environment })
  if (result.kind === 'failed') throw new Error(result.problem[0]?.message)
  return result.value
}
const explained = (config: LoadedConfig) => {
  const row = explainSettings(config).find(({ path }) => path === 'health.slowStart')
  return row && `${row.value} <- ${row.originText}`
}

describe('health.slowStart', () => {
  it('is off unless somebody asks for it, per environment too, and is explained', () => {
    expect(explained(loaded(''))).toBe('0s <- default')
    expect(explained(loaded(', slowStart: 30s'))).toBe('30s <- sluice.yaml:4:33')
    expect(explained(loaded(', slowStart: 30s', 'production'))).toMatch(/^2m <- .*environment production/)
  })

  it('is no part of the health check, from which a release has its identity', () => {
    const [without] = loaded('').services
    const [slow] = loaded(', slowStart: 30s').services
    expect(slow?.slowStartMs).toBe(30_000)
    expect(slow?.health).toEqual(without?.health)
  })

  it('is off in records that were written before it was known', () => {
    const { slowStartMs: _, ...before } = { ...loaded('').services[0] }
    expect(ServiceSettings.parse(before).slowStartMs).toBe(0)
  })

  it('refuses more than an hour', () => {
    const result = loadConfig({
      file: 'sluice.yaml',
      text: fileWith(', slowStart: 2h'),
      environment: 'local',
    })
    expect(result.kind === 'failed' && result.problem[0]?.code).toBe('CONFIG_OUT_OF_RANGE')
  })
})
