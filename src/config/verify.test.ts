import { describe, expect, it } from 'vitest'
import { complaintsIn, rowsIn, settingsIn } from './settings.test.kit.ts'

const fileWith = (verify: string) => `service: shop
run: { command: node server.js }
listen: 8080
health: { path: /up }
verify:
${verify}
`
const checks = (verify: string) => settingsIn(fileWith(verify)).verify
const problemsIn = (verify: string) =>
  complaintsIn(fileWith(verify)).map(({ code, message }) => `${code} ${message}`)

describe('verify', () => {
  it('takes a path for a request that must be answered with a 2xx, before and after', () => {
    expect(checks('  - http: /deep')).toEqual([
      {
        kind: 'journey',
        name: 'GET /deep',
        moments: ['before', 'after'],
        timeoutMs: 30_000,
        steps: [
          {
            method: 'GET',
            path: '/deep',
            headers: {},
            body: null,
            expect: { status: null, contains: [], json: [], withinMs: null },
            capture: {},
          },
        ],
      },
    ])
  })

  it('takes a program with secrets, a time and a moment', () => {
    expect(checks('  - { command: npm run smoke, secrets: [TOKEN], timeout: 2m, when: before }')).toEqual([
      {
        kind: 'command',
        name: 'npm run smoke',
        moments: ['before'],
        timeoutMs: 120_000,
        command: ['npm', 'run', 'smoke'],
        secrets: ['TOKEN'],
      },
    ])
  })

  it('takes a journey: what is sent, what is expected, what is kept', () => {
    const [check] =
      checks(`  - name: buy
    journey:
      - { post: /login, body: { user: test }, expect: { status: 201, contains: hi }, capture: { token: $.token } }
      - { get: "/cart?t={{token}}", expect: { json: { "$.items[0]": 3 }, within: 300ms } }`) ?? []
    expect(check).toMatchObject({
      name: 'buy',
      steps: [
        {
          method: 'POST',
          path: '/login',
          headers: { 'content-type': 'application/json' },
          body: '{"user":"test"}',
          expect: { status: 201, contains: ['hi'] },
          capture: { token: '$.token' },
        },
        {
          path: '/cart?t={{token}}',
          expect: { json: [{ path: '$.items[0]', equals: 3 }], withinMs: 300 },
        },
      ],
    })
  })

  it('is explained check by check', () => {
    const written = '  - http: /deep\n  - { command: ./smoke.sh, when: after }'
    const shown = rowsIn(fileWith(written)).filter(({ path }) => path.startsWith('verify'))
    expect(shown.map(({ path, value }) => `${path} ${value}`)).toEqual([
      'verify[0] GET /deep: 1 request, before and after, within 30s',
      'verify[1] ./smoke.sh: command, after, within 30s',
    ])
  })

  it.each([
    ['  - {}', 'must have exactly one of http, command and journey'],
    ['  - { http: /a, command: b }', 'must have exactly one of http, command and journey'],
    ['  - { command: b, expect: { status: 200 } }', 'stands beside no http'],
    ['  - { http: /a, secrets: [A] }', 'stands beside no command'],
    ['  - { journey: [{ get: /a, post: /b }] }', 'must have exactly one of get'],
    ['  - { journey: [{ expect: {} }] }', 'must have exactly one of get'],
    ['  - { journey: [] }', 'verify[0].journey'],
    ['  - { http: /a }\n  - { http: /a }', 'as another check is called'],
    ['  - { http: a }', 'verify[0].http'],
    ['  - { http: /a, expect: { status: 99 } }', 'verify[0].expect.status'],
    ['  - { http: /a, expect: { json: { items: 3 } } }', 'verify[0].expect.json'],
    ['  - { http: /a, timeout: 5 }', 'CONFIG_UNIT_MISSING'],
    ['  - { htp: /a }', 'CONFIG_UNKNOWN_KEY'],
    ['  - { http: /a, when: never }', 'verify[0].when'],
    ['  nothing', 'verify'],
  ])('refuses %j', (text, expected) => {
    expect(problemsIn(text).join('\n')).toContain(expected)
  })
})
