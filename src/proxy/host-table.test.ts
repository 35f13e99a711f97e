import { describe, expect, it } from 'vitest'
import { hostName } from './host-name.ts'
import { HostTable } from './host-table.ts'

describe('the name in a Host header', () => {
  it.each([
    ['shop.example.org', 'shop.example.org'],
    ['SHOP.Example.ORG:8443', 'shop.example.org'],
    ['shop.example.org.', 'shop.example.org'],
    ['shop.example.org.:80', 'shop.example.org'],
    ['[::1]:8080', '[::1]'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['', ''],
  ])('%s is %s', (header, name) => {
    expect(hostName(header)).toBe(name)
  })
})

describe('whose a request is', () => {
  const table = new HostTable([
    ['shop', { hosts: ['shop.example.org', '*.shop.example.org'] }],
    ['api', { hosts: ['shop.example.org'], paths: ['/api', '/v1'] }],
    ['api-2', { hosts: ['shop.example.org'], paths: ['/api/v2'] }],
    ['docs', { paths: ['/docs'] }],
    ['wild', { hosts: ['*.example.org'], paths: ['/only'] }],
  ])

  it.each([
    ['shop.example.org', '/', 'shop'],
    ['shop.example.org', '/api', 'api'],
    ['shop.example.org', '/api/v2?x', 'api-2'],
    ['shop.example.org', '/api/v22', 'api'],
    ['shop.example.org', '/apis', 'shop'],
    ['shop.example.org', '/docs', 'shop'],
    ['de.shop.example.org', '/api', 'shop'],
    ['a.b.shop.example.org', '/', null],
    ['other.example.org', '/only', 'wild'],
    ['other.example.org', '/docs/x', 'docs'],
    ['.example.org', '/only', null],
    ['example.org', '/only', null],
    ['nobody', '/docs', 'docs'],
    ['nobody', '/', null],
    ['', '/', null],
  ])('%s%s goes to %s', (host, path, service) => {
    expect(table.find(host, path)).toBe(service)
  })

  it('has a certificate by the host alone', () => {
    expect(table.ofHost('de.shop.example.org')).toBe('shop')
    expect(table.ofHost('nobody')).toBe('docs')
  })
})
