import { expect, test } from 'vitest'
import { servingsOf } from '../core/release/servings.ts'
import { renderExplanation } from './explain.ts'
import { loadConfig } from './load.ts'

const file = (lines: string, strategy = '') => `service: shop
run: { command: node server.js }
listen: 8080
health: { path: /up }
${strategy}${lines}
`
const loading = (text: string) => loadConfig({ file: 'sluice.yaml', text, autoRouter: 'haproxy' })
const load = (text: string) => {
  const loaded = loading(text)
  if (loaded.kind === 'failed') throw new Error(loaded.problem[0]?.message)
  return loaded.value
}
const settingsIn = (text: string) => {
  const [settings] = load(text).services
  if (settings === undefined) throw new Error('no service')
  return settings
}
const complaints = (text: string): string[] => {
  const loaded = loading(text)
  return loaded.kind === 'failed' ? loaded.problem.map(({ message }) => message) : []
}

test('one router serves alone unless the file names more', () => {
  expect(settingsIn(file('')).also).toBeUndefined()
  expect(settingsIn(file('also: []')).also).toBeUndefined()
})

test('each other router has an address of its own, and says for itself whose requests it takes there', () => {
  const settings = settingsIn(
    file(
      'router: haproxy\nhosts: [shop.example.org]\nalso: [{ router: builtin, listen: 8090 }, { router: nginx, listen: 0.0.0.0:8091, paths: [/api] }]',
    ),
  )
  expect(
    servingsOf(settings).map(({ router, listen, hosts, paths }) => [router, listen, hosts, paths]),
  ).toEqual([
    ['haproxy', { host: '127.0.0.1', port: 8080 }, ['shop.example.org'], undefined],
    ['builtin', { host: '127.0.0.1', port: 8090 }, undefined, undefined],
    ['nginx', { host: '0.0.0.0', port: 8091 }, undefined, ['/api']],
  ])
})

test('the preview is shown by the first one alone', () => {
  const preview = 'strategy: { canary: { steps: [{ weight: 5% }, { weight: 100% }], preview: 8099 } }\n'
  const [first, second] = servingsOf(settingsIn(file('also: [{ router: haproxy, listen: 8090 }]', preview)))
  expect([first?.strategy, second?.strategy].map((strategy) => strategy && 'preview' in strategy)).toEqual([
    true,
    false,
  ])
})

test('the explanation shows each of them as it stands in the file', () => {
  const text = renderExplanation(load(file('also: [{ router: haproxy, listen: 8090, hosts: [a.org] }]')))
  expect(text).toMatch(/also\[0\]\.router\s+haproxy/)
  expect(text).toMatch(/also\[0\]\.listen\s+127\.0\.0\.1:8090/)
  expect(text).toMatch(/also\[0\]\.hosts\s+\[a\.org\]/)
})

test('an instance that fails is left out unasked only where the built-in proxy serves alone', () => {
  expect(settingsIn(file('')).outlier).toBeDefined()
  expect(settingsIn(file('also: [{ router: haproxy, listen: 8090 }]')).outlier).toBeUndefined()
})

test.each([
  ['also: [{ router: builtin, listen: 8090 }]', /also names builtin a second time/],
  ['also: [{ router: nginx, listen: 8090 }, { router: nginx, listen: 8091 }]', /names nginx a second time/],
  ['router: auto\nalso: [{ router: haproxy, listen: 8090 }]', /names haproxy, which router: auto has found/],
  ['also: [{ router: haproxy, listen: 0 }]', /has port 0/],
  ['also: [{ router: haproxy, listen: 8080 }]', /has 127.0.0.1:8080 for haproxy, which "listen" has already/],
  ['also: [{ router: haproxy, listen: 0.0.0.0:8080 }]', /which "listen" has already/],
  ['also: [{ router: haproxy, listen: 8090 }, { router: nginx, listen: 8090 }]', /another one of them has/],
  ['also: [{ router: haproxy }]', /listen is missing/],
  ['also: [{ router: envoy, listen: 8090 }]', /router is "envoy"/],
  ['also: [{ router: haproxy, listen: 8090, weight: 5 }]', /weight/],
  ['also: { router: haproxy, listen: 8090 }', /also/],
])('%s is refused', (lines, message) => {
  expect(complaints(file(lines)).join('\n')).toMatch(message)
})

test('an address of a preview, or of another service, is not free', () => {
  const preview = 'strategy: { canary: { steps: [{ weight: 5% }, { weight: 100% }], preview: 8090 } }\n'
  expect(complaints(file('also: [{ router: haproxy, listen: 8090 }]', preview)).join()).toMatch(/8090/)
  const two = `services:
  shop: { run: { command: node a.js }, listen: 8080, health: { path: /up }, also: [{ router: haproxy, listen: 8090 }] }
  cart: { run: { command: node b.js }, listen: 8090, health: { path: /up } }
`
  expect(complaints(two).join()).toMatch(/8090.*shop listens already/)
})

test('a worker has none, and an A/B test or sticky users have one router', () => {
  const worker = `service: mailer
run: { command: node worker.js }
listen: none
health: none
also: [{ router: haproxy, listen: 8090 }]
`
  expect(complaints(worker).join()).toMatch(/also needs an address/)
  const ab = `strategy: { ab: { variants: [{ name: green, share: 50% }], goal: { request: POST /orders } } }\n`
  expect(complaints(file('also: [{ router: haproxy, listen: 8090 }]', ab)).join()).toMatch(
    /also cannot stand beside an A\/B test/,
  )
  const sticky = 'strategy: { canary: { sticky: {} } }\n'
  expect(complaints(file('also: [{ router: haproxy, listen: 8090 }]', sticky)).join()).toMatch(
    /also cannot stand beside sticky/,
  )
})
