import { describe, expect, it } from 'vitest'
import { ServiceSettings } from '../core/release/settings.ts'
import { complaintsIn, rowsIn, settingsIn } from './settings.test.kit.ts'

const fileWith = (health: string) => `service: shop
run: { command: node server.js }
listen: 8080
health: { path: /up${health} }
environments: { production: { health: { slowStart: 2m } } }
`
const explained = (health: string, environment?: string) => {
  const row = rowsIn(fileWith(health), environment).find(({ path }) => path === 'health.slowStart')
  return row && `${row.value} <- ${row.originText}`
}

describe('health.slowStart', () => {
  it('is off unless somebody asks for it, per environment too, and is explained', () => {
    expect(explained('')).toBe('0s <- default')
    expect(explained(', slowStart: 30s')).toBe('30s <- sluice.yaml:4:33')
    expect(explained(', slowStart: 30s', 'production')).toMatch(/^2m <- .*environment production/)
  })

  it('is no part of the health check, from which a release has its identity', () => {
    const slow = settingsIn(fileWith(', slowStart: 30s'))
    expect(slow.slowStartMs).toBe(30_000)
    expect(slow.health).toEqual(settingsIn(fileWith('')).health)
  })

  it('is off in records that were written before it was known', () => {
    const { slowStartMs: _, ...before } = settingsIn(fileWith(''))
    expect(ServiceSettings.parse(before).slowStartMs).toBe(0)
  })

  it('refuses more than an hour', () => {
    expect(complaintsIn(fileWith(', slowStart: 2h'))[0]?.code).toBe('CONFIG_OUT_OF_RANGE')
  })
})
