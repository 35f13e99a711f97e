import { describe, expect, it } from 'vitest'
import { complaintsIn, rowsIn, settingsIn } from './settings.test.kit.ts'

const fileWith = (strategy: string) => `service: shop
run: { command: node server.js, replicas: 3 }
listen: 8080
health: { path: /up }
strategy: ${strategy}
environments: { production: { strategy: { canary: { sticky: off } } } }
`
const strategyOf = (strategy: string, environment?: string) =>
  settingsIn(fileWith(strategy), environment).strategy
const problemIn = (strategy: string) => complaintsIn(fileWith(strategy))[0]
const inCanary = (routes: string) => `{ canary: { routes: [${routes}] } }`

describe('preview, routes and sticky', () => {
  it('are not there when nobody asks for them', () => {
    const strategy = strategyOf('{ canary: quick }')
    for (const key of ['preview', 'routes', 'sticky']) expect(strategy).not.toHaveProperty(key)
  })

  it('are read with canary and, but for sticky, with blueGreen', () => {
    const preview = { host: '127.0.0.1', port: 8090 }
    const routes = [
      { kind: 'exact', in: 'header', name: 'x-tester', value: '1' },
      { kind: 'pattern', in: 'cookie', name: 'group', pattern: 'qa-*' },
    ]
    const written =
      'preview: 8090, routes: [{ header: { name: x-tester, value: 1 }, to: candidate }, { cookie: { name: group, pattern: "qa-*" } }]'
    expect(strategyOf(`{ canary: { ${written} } }`)).toMatchObject({ preview, routes })
    expect(strategyOf(`{ blueGreen: { ${written} } }`)).toMatchObject({ preview, routes })
    expect(problemIn('{ blueGreen: { sticky: {} } }')).toMatchObject({ code: 'CONFIG_UNKNOWN_KEY' })
  })

  it('takes the defaults of sticky from an empty section, and an environment switches it off', () => {
    const sticky = { cookie: 'sluice-release', forMs: 24 * 3_600_000 }
    expect(strategyOf('{ canary: { sticky: {} } }')).toMatchObject({ sticky })
    expect(strategyOf('{ canary: { sticky: { for: 1h, cookie: side } } }')).toMatchObject({
      sticky: { cookie: 'side', forMs: 3_600_000 },
    })
    expect(strategyOf('{ canary: { sticky: {} } }', 'production')).not.toHaveProperty('sticky')
  })

  it('are explained key by key', () => {
    const written =
      '{ canary: { preset: quick, preview: 8090, routes: [{ header: { name: x-tester, pattern: "*" } }], sticky: { for: 1h } } }'
    const shown = rowsIn(fileWith(written)).map((row) => `${row.path} ${row.value}`)
    expect(shown).toContain('strategy.canary.preview 127.0.0.1:8090')
    expect(shown).toContain('strategy.canary.routes[0] { header: { name: x-tester, pattern: "*" } }')
    expect(shown).toContain('strategy.canary.sticky.cookie sluice-release')
    expect(shown).toContain('strategy.canary.sticky.for 1h')
  })

  it.each([
    ['{ canary: { preview: 8080 } }', 'CONFIG_CONFLICT', 'where live traffic comes in'],
    ['{ canary: { preview: "0.0.0.0:8080" } }', 'CONFIG_CONFLICT', 'where live traffic comes in'],
    ['{ blueGreen: { preview: 0 } }', 'CONFIG_CONFLICT', 'another port each time'],
    ['{ canary: { preview: nowhere } }', 'CONFIG_BAD_ADDRESS', 'no address'],
    [inCanary('{}'), 'CONFIG_MISSING_KEY', 'says nothing about the requests'],
    [inCanary('{ to: candidate }'), 'CONFIG_MISSING_KEY', 'says nothing about the requests'],
    [inCanary('{ header: { name: x } }'), 'CONFIG_MISSING_KEY', 'neither value nor pattern'],
    [inCanary('{ header: { name: x, value: a, pattern: b } }'), 'CONFIG_CONFLICT', 'stands beside value'],
    [
      inCanary('{ header: { name: x, value: a }, cookie: { name: x, value: a } }'),
      'CONFIG_CONFLICT',
      'stands beside header',
    ],
    [inCanary('{ header: { name: Cookie, value: a } }'), 'CONFIG_CONFLICT', 'is cookie'],
    [inCanary('{ header: { name: "x y", value: a } }'), 'CONFIG_BAD_NAME', 'name of a header or a cookie'],
    [inCanary('{ header: { name: x, pattern: "^(a+)+$" } }'), 'CONFIG_BAD_PATTERN', 'regular expression'],
    [inCanary('{ header: { name: x, pattern: "qa.*" } }'), 'CONFIG_BAD_PATTERN', 'regular expression'],
    [inCanary('{ header: { name: x, value: a }, to: stable }'), 'CONFIG_WRONG_VALUE', 'candidate'],
    ['{ canary: { sticky: { for: 1s } } }', 'CONFIG_OUT_OF_RANGE', '1m'],
    ['{ canary: { sticky: { cookie: "a=b" } } }', 'CONFIG_BAD_NAME', 'name of a header or a cookie'],
  ])('refuses %s', (strategy, code, text) => {
    const found = problemIn(strategy)
    expect(found?.code).toBe(code)
    expect(`${found?.message} ${found?.remedy}`).toContain(text)
  })

  it('refuses a preview where another service of the file listens', () => {
    const text = `services:
  a: { run: { command: x }, listen: 81, health: { path: / } }
  b: { run: { command: x }, listen: 82, health: { path: / }, strategy: { canary: { preview: 81 } } }
`
    expect(complaintsIn(text)[0]).toMatchObject({
      code: 'CONFIG_SAME_ADDRESS',
      message: expect.stringContaining('where a listens already'),
    })
  })
})
