import { describe, expect, it } from 'vitest'
import { complaintsIn, rowsIn, settingsIn } from './settings.test.kit.ts'

const file = (run: string, rest = '') =>
  `service: shop\nrun: { ${run} }\nlisten: 8080\nhealth: { path: /up }\n${rest}`
const IMAGE = 'image: "registry.local:5000/team/shop:{{version}}", port: 3000'

describe('run.image', () => {
  it('makes instances containers, with the limits that run.resources says', () => {
    const { run } = settingsIn(
      file(`${IMAGE}, network: shop_net, secretFiles: true, resources: { cpus: 0.5, memory: 256MiB }`),
    )
    expect(run.artifact).toBe('registry.local:5000/team/shop:{{version}}')
    expect(run.command).toEqual([])
    expect(run.container).toEqual({
      port: 3000,
      network: 'shop_net',
      volumes: [],
      secretFiles: true,
      cpus: 0.5,
      memoryBytes: 256 * 1024 * 1024,
    })
  })

  it('takes volumes by path, relative to the file, and by name', () => {
    const { run } = settingsIn(
      file(`${IMAGE}, volumes: ["./uploads:/data", "/etc/ssl:/ssl:ro", "cache:/c:rw"]`),
    )
    const [uploads, ...others] = run.container?.volumes ?? []
    expect(uploads?.source).toMatch(/^\/.*uploads$/)
    expect(others).toEqual([
      { source: '/etc/ssl', target: '/ssl', readOnly: true },
      { source: 'cache', target: '/c', readOnly: false },
    ])
  })

  it('and a command are two ways to run the same service, and target chooses', () => {
    const both = file(
      `${IMAGE}, command: node server.js, artifact: ./releases`,
      'target: processes\nenvironments: { production: { target: docker } }\n',
    )
    expect(settingsIn(both).run.container).toBeUndefined()
    expect(settingsIn(both).run.artifact).toMatch(/releases$/)
    const { run } = settingsIn(both, 'production')
    expect(run.container?.port).toBe(3000)
    expect(run.command).toEqual(['node', 'server.js'])
  })

  it('of a worker needs no port', () => {
    const worker = 'service: mails\nrun: { image: mails:1 }\nlisten: none\nhealth: { runs: 5s }\n'
    expect(settingsIn(worker).run.container?.port).toBeNull()
  })

  it('is explained key by key, with the reason for the target', () => {
    const rows = rowsIn(file(`${IMAGE}, volumes: ["cache:/c:ro"]`))
    const values = Object.fromEntries(rows.map(({ path, value }) => [path, value]))
    expect(values).toMatchObject({
      target: 'docker',
      'run.image': 'registry.local:5000/team/shop:{{version}}',
      'run.port': '3000',
      'run.volumes[0]': 'cache:/c:ro',
    })
    expect(rows.find(({ path }) => path === 'target')?.originText).toContain('there is a run.image')
    expect(values).not.toHaveProperty('run.artifact')
  })
})

describe('a file with containers is refused', () => {
  it.each([
    ['image: ""', 'CONFIG_BAD_IMAGE'],
    ['image: "Shop:1"', 'CONFIG_BAD_IMAGE'],
    ['image: "shop:1; rm -rf /"', 'CONFIG_BAD_IMAGE'],
    ['image: "shop@sha256:abc"', 'CONFIG_BAD_IMAGE'],
    [`image: "${'a/'.repeat(300)}shop"`, 'CONFIG_BAD_IMAGE'],
    ['image: "shop:{{digest}}"', 'CONFIG_UNKNOWN_PLACEHOLDER'],
    ['image: [shop]', 'CONFIG_BAD_IMAGE'],
    ['image: shop, port: 70000', 'CONFIG_OUT_OF_RANGE'],
    ['image: shop, port: 3000, network: "-x"', 'CONFIG_BAD_NAME'],
    ['image: shop, port: 3000, volumes: ["data"]', 'CONFIG_BAD_VOLUME'],
    ['image: shop, port: 3000, volumes: ["data:relative"]', 'CONFIG_BAD_VOLUME'],
    ['image: shop, port: 3000, volumes: ["data:/d:rx"]', 'CONFIG_BAD_VOLUME'],
    ['image: shop, port: 3000, volumes: ["~/data:/d"]', 'CONFIG_BAD_VOLUME'],
    ['image: shop, port: 3000, volumes: [{ source: data }]', 'CONFIG_BAD_VOLUME'],
    ['replicas: 2', 'CONFIG_MISSING_KEY'],
  ])('for %s', (run, code) => {
    expect(complaintsIn(file(run)).map((problem) => problem.code)).toEqual([code])
  })

  it.each([
    ['image: shop', '', 'run.port is missing'],
    ['command: node x.js', 'target: docker\n', 'target is docker, and there is no run.image'],
    ['image: shop, port: 3000', 'target: processes\n', 'there is no run.command'],
    ['image: shop, port: 3000, volumes: ["a:/d", "b:/d"]', '', 'has a target twice: /d'],
    [
      'image: shop, port: 3000, secretFiles: true, volumes: ["a:/run/secrets/x"]',
      '',
      'below /run/secrets, where the secrets are',
    ],
  ])('for %s with %j: %s', (run, rest, message) => {
    const [problem] = complaintsIn(file(run, rest))
    expect(problem?.code).toBe('CONFIG_CONFLICT')
    expect(`${problem?.message}`).toContain(message)
    expect(problem?.remedy).not.toBe('')
  })
})
