import { describe, expect, it } from 'vitest'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'

const fileWith = (ab: string) => `service: shop
run: { command: node server.js, replicas: 3 }
listen: 8080
health: { path: /up }
strategy: { ab: ${ab} }
`
const VARIANTS = 'variants: [{ name: green, share: 25% }, { name: blue, share: 12.5% }]'
const GOAL = 'goal: { request: POST /orders }'
const load = (ab: string) => loadConfig({ file: 'sluice.yaml', text: fileWith(ab), environment: 'local' })
const problemIn = (ab: string) => {
  const result = load(ab)
  return result.kind === 'failed' ? result.problem[0] : undefined
}
function settingsOf(ab: string) {
  const result = load(ab)
  if (result.kind === 'failed') throw new Error(JSON.stringify(result.problem[0]))
  return result.value.services[0]?.strategy
}

describe('strategy.ab', () => {
  it('takes its defaults: users by a cookie, for two weeks, and a person decides', () => {
    expect(settingsOf(`{ ${VARIANTS}, ${GOAL} }`)).toMatchObject({
      kind: 'ab',
      by: { kind: 'own-cookie' },
      variants: [
        { name: 'green', sharePermille: 250 },
        { name: 'blue', sharePermille: 125 },
      ],
      forMs: 14 * 86_400_000,
      goal: { method: 'POST', path: '/orders' },
      atEnd: 'ask',
      alpha: 0.05,
      watchMs: 3_600_000,
      holdMs: 30_000,
    })
  })

  it('knows users by a header or a cookie of the service', () => {
    expect(settingsOf(`{ ${VARIANTS}, ${GOAL}, by: { header: x-user-id } }`)).toMatchObject({
      by: { kind: 'header', name: 'x-user-id' },
    })
    expect(settingsOf(`{ ${VARIANTS}, ${GOAL}, by: { cookie: uid } }`)).toMatchObject({
      by: { kind: 'cookie', name: 'uid' },
    })
  })

  it('is explained key by key', () => {
    const result = load(`{ ${VARIANTS}, ${GOAL}, by: { cookie: uid }, for: 7d, atEnd: promote, alpha: 1% }`)
    const rows = result.kind === 'ok' ? explainSettings(result.value) : []
    const shown = rows
      .filter(({ path }) => path.startsWith('strategy.ab.'))
      .map((row) => `${row.path} ${row.value}`)
    expect(shown.slice(0, 7)).toEqual([
      'strategy.ab.by { cookie: uid }',
      'strategy.ab.variants[0] { name: green, share: 25% }',
      'strategy.ab.variants[1] { name: blue, share: 12.5% }',
      'strategy.ab.for 7d',
      'strategy.ab.goal { request: POST /orders }',
      'strategy.ab.atEnd promote',
      'strategy.ab.alpha 1%',
    ])
  })

  it.each([
    [`{ ${GOAL} }`, 'CONFIG_MISSING_KEY', 'variants'],
    [`{ ${VARIANTS} }`, 'CONFIG_MISSING_KEY', 'goal'],
    [`{ variants: [], ${GOAL} }`, 'CONFIG_OUT_OF_RANGE', 'variants'],
    [
      `{ variants: [{ name: a, share: 100% }], ${GOAL} }`,
      'CONFIG_OUT_OF_RANGE',
      'nothing is left for the control',
    ],
    [
      `{ variants: [{ name: a, share: 10% }, { name: a, share: 10% }], ${GOAL} }`,
      'CONFIG_CONFLICT',
      'as another variant is',
    ],
    [`{ variants: [{ name: control, share: 10% }], ${GOAL} }`, 'CONFIG_CONFLICT', 'what stable is called'],
    [`{ ${VARIANTS}, goal: { request: orders } }`, 'CONFIG_BAD_ROUTE', 'a method and a path'],
    [`{ ${VARIANTS}, goal: { request: POST /orders?x=1 } }`, 'CONFIG_BAD_ROUTE', 'a method and a path'],
    [`{ ${VARIANTS}, ${GOAL}, atEnd: abort }`, 'CONFIG_WRONG_VALUE', 'atEnd'],
    [`{ ${VARIANTS}, ${GOAL}, for: 100d }`, 'CONFIG_OUT_OF_RANGE', 'for'],
    [`{ ${VARIANTS}, ${GOAL}, by: user }`, 'CONFIG_WRONG_VALUE', 'by'],
  ])('refuses %s', (ab, code, text) => {
    const found = problemIn(ab)
    expect(found?.code).toBe(code)
    expect(`${found?.message} ${found?.remedy}`).toContain(text)
  })
})
