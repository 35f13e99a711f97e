import { expect, test } from 'vitest'
import { loadConfig } from './load.ts'
import { complaintsIn } from './settings.test.kit.ts'

const FILE = `service: shop
run: { command: node server.js }
listen: 8080
health: { path: /up }
`
const routerIn = (line: string, autoRouter?: 'haproxy') => {
  const loaded = loadConfig({
    file: 'sluice.yaml',
    text: `${FILE}${line}`,
    ...(autoRouter && { autoRouter }),
  })
  if (loaded.kind === 'failed') throw new Error(loaded.problem[0]?.message)
  const [{ router, routerFound } = { router: 'none', routerFound: undefined }] = loaded.value.services
  return [router, routerFound]
}

test('the built-in proxy serves unless the file names another router', () => {
  expect(routerIn('')).toEqual(['builtin', undefined])
  expect(routerIn('router: nginx\n')).toEqual(['nginx', undefined])
})

test('auto is what was found on the machine, and is remembered as found', () => {
  expect(routerIn('router: auto\n', 'haproxy')).toEqual(['haproxy', true])
  expect(routerIn('router: auto\n')).toEqual(['builtin', true])
})

test('a router that does not exist is refused with those that do', () => {
  expect(complaintsIn(`${FILE}router: envoy\n`)[0]?.message).toMatch(
    /router is "envoy", but must be .*haproxy/,
  )
})
