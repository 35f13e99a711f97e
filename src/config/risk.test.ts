import { describe, expect, it } from 'vitest'
import { complaintsIn, rowsIn, settingsIn } from './settings.test.kit.ts'

const fileWith = (more: string) => `service: shop
run: { command: node server.js }
listen: 8080
health: { path: /up }
${more}
`
const riskIn = (more: string, environment?: string) => settingsIn(fileWith(more), environment).risk
const problemsIn = (more: string) =>
  complaintsIn(fileWith(more)).map(({ code, message }) => `${code} ${message}`)

describe('risk', () => {
  it('holds what is declared and nothing else', () => {
    expect(riskIn('')).toBeUndefined()
    expect(
      riskIn(
        'risk: { application: e-commerce, downtime: 0s, users: 50000, dependents: [billing], criticality: high, api: 2, schema: "41", framework: rails-8 }',
      ),
    ).toEqual({
      application: 'e-commerce',
      downtimeMs: 0,
      users: 50_000,
      dependents: ['billing'],
      criticality: 'high',
      api: '2',
      schema: '41',
      framework: 'rails-8',
    })
  })

  it('can be another in an environment, key by key', () => {
    const file = `risk: { users: 10, application: internal }
environments: { staging: { risk: { users: 3 } } }`
    expect(riskIn(file, 'staging')).toEqual({ users: 3, application: 'internal' })
  })

  it('shows where it comes from', () => {
    expect(rowsIn(fileWith('risk: { users: 10 }')).find(({ path }) => path === 'risk.users')?.value).toBe(
      '10',
    )
  })

  it.each([
    ['risk: { application: shop }', /CONFIG_WRONG_VALUE .*risk\.application/],
    ['risk: { users: -1 }', /CONFIG_OUT_OF_RANGE .*risk\.users/],
    ['risk: { downtime: 5 }', /CONFIG_UNIT_MISSING .*risk\.downtime/],
    ['risk: { schema: 1.10 }', /CONFIG_WRONG_TYPE .*risk\.schema is 1\.1/],
    ['risk: { user: 5 }', /CONFIG_UNKNOWN_KEY .*"user" in risk/],
    ['risk: { criticality: highest }', /CONFIG_WRONG_VALUE/],
  ])('refuses %s', (more, message) => {
    expect(problemsIn(more)[0]).toMatch(message)
  })
})
