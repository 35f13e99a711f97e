import { expect, it } from 'vitest'
import { localUrl } from './local-url.ts'

it.each([
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['::', 'http://127.0.0.1:80'],
  ['::1', 'http://[::1]:80'],
])('what listens on %s is reached at %s', (host, url) => {
  expect(localUrl({ host, port: 80 })).toBe(url)
})
