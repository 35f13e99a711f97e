import { describe, expect, it } from 'vitest'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'

const load = (text: string, environment = 'local') =>
  loadConfig({ file: '/srv/sluice.yaml', text, environment })
const service = (more: string) =>
  `service: shop\nrun: { command: node server.js }\nlisten: 8443\nhealth: { path: /api/up }\n${more}`
const settingsOf = (more: string) => {
  const loaded = load(service(more))
  if (loaded.kind === 'failed') throw new Error(JSON.stringify(loaded.problem))
  return { settings: loaded.value.services[0], rows: explainSettings(loaded.value) }
}
const complaintsIn = (text: string): string[] => {
  const loaded = load(text)
  return loaded.kind === 'failed'
    ? loaded.problem.map(({ code, message, remedy }) => `${code} ${message} ${remedy}`)
    : []
}
const complaint = (more: string) => complaintsIn(service(more)).join('\n')

describe('hosts, paths and TLS in the file', () => {
  it('are carried as names in lower case, segments and absolute paths of the files', () => {
    const { settings, rows } = settingsOf(
      'hosts: [Shop.Example.org, "*.shop.example.org", "[::1]"]\npaths: [/api]\ntls: { certificate: ./tls/shop.pem, key: tls/shop.key }',
    )
    expect(settings).toMatchObject({
      hosts: ['shop.example.org', '*.shop.example.org', '[::1]'],
      paths: ['/api'],
      tls: { certificate: '/srv/tls/shop.pem', key: '/srv/tls/shop.key' },
      prober: { paths: ['/api/up'] },
    })
    const shown = rows.filter(({ path }) => /^(hosts|paths|tls)/.test(path))
    expect(shown.map(({ path, originText }) => `${path} ${originText}`)).toEqual([
      'hosts /srv/sluice.yaml:5:8',
      'paths /srv/sluice.yaml:6:8',
      'tls.certificate /srv/sluice.yaml:7:21',
      'tls.key /srv/sluice.yaml:7:42',
    ])
  })

  it('are absent where the file does not name them, so that releases from before keep their names', () => {
    const { settings } = settingsOf('')
    expect(Object.keys(settings ?? {}).filter((key) => ['hosts', 'paths', 'tls'].includes(key))).toEqual([])
  })

  it.each([
    ['hosts: []', 'hosts'],
    ['hosts: ["*"]', 'Leave hosts out'],
    ['hosts: [shop.example.org:8443]', 'Write shop.example.org'],
    ['hosts: ["https://shop.example.org/x"]', 'Write shop.example.org'],
    ['hosts: ["a.*.org"]', 'A star stands for the whole first label'],
    ['hosts: ["bücher.example"]', 'xn--'],
    ['hosts: [a.org, A.org]', 'a host twice: a.org'],
    ['hosts: ["a b"]', 'CONFIG_BAD_HOST'],
    ['paths: [api]', 'CONFIG_BAD_PATH'],
    ['paths: [/api/]', 'Write /api'],
    ['paths: ["/a//b"]', 'without //'],
    ['paths: [/a/../b]', 'without //'],
    ['paths: ["/a?x"]', 'CONFIG_BAD_PATH'],
    ['tls: { certificate: a.pem }', 'tls.key'],
    ['tls: { certificate: a.pem, key: "-----BEGIN PRIVATE KEY-----" }', 'holds the key itself'],
    ['tls: on', 'tls'],
    ['paths: [/shop]\nprober: { paths: [/up] }', 'asks for /up, which is outside of "paths"'],
  ])('%s is refused with what to write', (more, words) => {
    expect(complaint(more)).toContain(words)
  })

  it('switches the prober off where the health path is not one of the service, and means nothing to a worker', () => {
    expect(settingsOf('paths: [/shop]').settings?.prober).toBeNull()
    const worker =
      'service: w\nrun: { command: node w.js }\nlisten: none\nhealth: { command: "true" }\nhosts: [a.org]'
    expect(complaintsIn(worker).join()).toContain('hosts needs an address')
  })
})

describe('several services at one address', () => {
  const two = (one: string, other: string) =>
    `services:\n${[one, other]
      .map((more, index) => `  s${index}: { run: { command: x }, health: { path: /up }, ${more} }`)
      .join('\n')}`

  it.each([
    ['listen: 8080, hosts: [a.org]', 'listen: 8080, hosts: [b.org]'],
    ['listen: 8080, hosts: [a.org]', 'listen: 8080'],
    ['listen: 8080, paths: [/a]', 'listen: 8080, paths: [/a/b]'],
    ['listen: 8080, hosts: ["*.a.org"]', 'listen: 8080, hosts: [x.a.org]'],
  ])('%s and %s are told apart', (one, other) => {
    expect(complaintsIn(two(one, other))).toEqual([])
  })

  it.each([
    ['listen: 8080', 'listen: 8080', 'hosts and paths that tell them apart'],
    ['listen: 8080, hosts: [a.org]', 'listen: 8080, hosts: [b.org, a.org]', 'both take all paths of a.org'],
    [
      'listen: 8080, hosts: [a.org]',
      'listen: 8080, hosts: [b.org], tls: { certificate: c, key: k }',
      'speaks TLS',
    ],
    ['listen: "0.0.0.0:8080", hosts: [a.org]', 'listen: 8080, hosts: [b.org]', 'in the same way in both'],
    ['listen: 8080, hosts: [a.org], router: nginx', 'listen: 8080, hosts: [b.org]', 'same router'],
    [
      'listen: 8080, hosts: [a.org]',
      'listen: 8081, strategy: { canary: { preview: 8080 } }',
      'port of its own',
    ],
  ])('%s and %s are refused', (one, other, words) => {
    const complaints = complaintsIn(two(one, other))
    expect(complaints.join()).toContain('CONFIG_SAME_ADDRESS')
    expect(complaints.join()).toContain(words)
  })
})
