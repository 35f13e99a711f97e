import { expect, it } from 'vitest'
import { localPlace, localUrl } from './local-url.ts'

it.each([
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['::', 'http://127.0.0.1:80'],
  ['::1', 'http://[::1]:80'],
])('what listens on %s is reached at %s', (host, url) => {
  expect(localUrl({ host, port: 80 })).toBe(url)
})

it('leads to a service with hosts or TLS by the name that users know, without asking a name server', () => {
  const all = { host: '0.0.0.0', port: 8443 }
  const tls = { certificate: '/c', key: '/k' }
  expect(localPlace(all, {})).toEqual({ url: 'http://127.0.0.1:8443' })
  expect(localPlace(all, { paths: ['/api'] })).toEqual({ url: 'http://127.0.0.1:8443' })
  expect(localPlace(all, { hosts: ['*.a.org', 'b.org'], tls })).toEqual({
    url: 'https://b.org:8443',
    way: { connect: '127.0.0.1', name: 'b.org' },
  })
  expect(localPlace(all, { hosts: ['*.a.org'] }).url).toBe('http://sluice.a.org:8443')
  expect(localPlace({ host: '::1', port: 1 }, { tls })).toEqual({
    url: 'https://[::1]:1',
    way: { connect: '::1', name: null },
  })
})
