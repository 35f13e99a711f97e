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

  it('takes only users of whom all conditions are so, where the file has some', () => {
    const where =
      'where: [{ header: { name: X-Country, values: [de, at] } }, { cookie: { name: plan, pattern: "pro-*" } }]'
    expect(settingsOf(`{ ${VARIANTS}, ${GOAL}, ${where} }`)).toMatchObject({
      where: [
        [
          { kind: 'exact', in: 'header', name: 'X-Country', value: 'de' },
          { kind: 'exact', in: 'header', name: 'X-Country', value: 'at' },
        ],
        [{ kind: 'pattern', in: 'cookie', name: 'plan', pattern: 'pro-*' }],
      ],
    })
    const result = load(`{ ${VARIANTS}, ${GOAL}, ${where} }`)
    const rows = result.kind === 'ok' ? explainSettings(result.value) : []
    expect(rows.filter(({ path }) => path.includes('.where')).map(({ value }) => value)).toEqual([
      '{ header: { name: X-Country, values: [de, at] } }',
      '{ cookie: { name: plan, pattern: "pro-*" } }',
    ])
  })

  it.each([
    ['[]', 'CONFIG_OUT_OF_RANGE', 'where'],
    ['de', 'CONFIG_WRONG_TYPE', 'where'],
    ['[{}]', 'CONFIG_MISSING_KEY', 'says nothing about the users who take part'],
    ['[{ header: { name: x } }]', 'CONFIG_MISSING_KEY', 'neither value, values nor pattern'],
    ['[{ header: { name: x, value: a, pattern: b } }]', 'CONFIG_CONFLICT', 'more than one of'],
    ['[{ header: { name: x, values: [] } }]', 'CONFIG_OUT_OF_RANGE', 'values'],
    ['[{ header: { name: x, values: [a, b, a] } }]', 'CONFIG_CONFLICT', 'stands there already'],
    [
      '[{ header: { name: x, value: a }, cookie: { name: y, value: b } }]',
      'CONFIG_CONFLICT',
      'two conditions',
    ],
    ['[{ header: { name: Cookie, value: a } }]', 'CONFIG_CONFLICT', 'cookie: { name'],
    ['[{ header: { name: x, pattern: "^de$" } }]', 'CONFIG_BAD_PATTERN', 'regular expression'],
    ['[{ header: { name: "x y", value: a } }]', 'CONFIG_BAD_NAME', 'letters, digits and dashes'],
    [`[{ header: { name: x, value: ${'a'.repeat(300)} } }]`, 'CONFIG_OUT_OF_RANGE', 'longer than 200'],
    ['[{ attribute: { name: x, value: a } }]', 'CONFIG_UNKNOWN_KEY', 'attribute'],
  ])('refuses where: %s', (where, code, text) => {
    const found = problemIn(`{ ${VARIANTS}, ${GOAL}, where: ${where} }`)
    expect(found?.code).toBe(code)
    expect(`${found?.message} ${found?.remedy}`).toContain(text)
  })

  it('says why a metric cannot be the goal, and what to write', () => {
    const result = load(`{ ${VARIANTS}, goal: { metric: orders } }`)
    const problems = result.kind === 'failed' ? result.problem : []
    expect(problems.find(({ code }) => code === 'CONFIG_UNKNOWN_KEY')?.remedy).toContain(
      'each user once and by variant',
    )
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
