// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how Compose writes its variables.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { ProjectFiles } from '../../init/project-files.ts'
import { loadConfig } from '../../load.ts'
import { proposeFromCompose } from './propose-compose.ts'
import { renderCompose } from './render-compose.ts'

const folder = (files: Record<string, string> = {}): ProjectFiles => ({
  folderName: 'shop',
  exists: (path) => Object.hasOwn(files, path),
  read: (path) => (Object.hasOwn(files, path) ? (files[path] ?? null) : null),
  list: (path) =>
    Object.keys(files).flatMap((file) => (file.startsWith(`${path}/`) ? file.slice(path.length + 1) : [])),
})
const propose = (text: string, files = folder()) =>
  proposeFromCompose({ file: 'compose.yaml', text, files, artifact: '.' })

/** What a file becomes in each environment, and all that was said about it. */
function imported(text: string, files = folder()) {
  const proposal = propose(text, files)
  if (proposal.kind === 'failed') throw new Error(`${proposal.problem.code} ${proposal.problem.message}`)
  const yaml = renderCompose(proposal.value)
  const [local = {}, staging = {}, production = {}] = ['local', 'staging', 'production'].map(
    (environment) => {
      const loaded = loadConfig({ file: '/p/sluice.yaml', text: yaml, environment })
      if (loaded.kind === 'failed')
        throw new Error(`${loaded.problem.map(({ message }) => message).join('\n')}\n${yaml}`)
      return Object.fromEntries(loaded.value.services.map((one) => [one.service, one]))
    },
  )
  const said = [...proposal.value.left, ...proposal.value.notMapped].map(
    ({ name, line, why }) => `${name}:${line} ${why}`,
  )
  return { local, staging, production, yaml, said, toCheck: proposal.value.toCheck.join('\n') }
}
const refusalOf = (text: string): string => {
  const proposal = propose(text)
  return proposal.kind === 'ok' ? 'taken' : `${proposal.problem.code}: ${proposal.problem.message}`
}
const web = (keys: string): string =>
  `services:\n  web:\n    image: shop:1\n    ports: ["8080:3000"]\n${keys}`

const SHOP = `
name: store
x-env: &common { LOG_LEVEL: info, RATIO: 1.10 }
services:
  web:
    image: \${REGISTRY:-localhost:5000}/web:v\${TAG:-1}
    ports: ["8080:3000"]
    environment: { <<: *common, GREETING: "\${GREETING:-hi}" }
    healthcheck:
      test: ["CMD-SHELL", "curl -f http://localhost:3000/up || exit 1"]
      interval: 2s
      timeout: 500ms
      retries: 4
      start_period: 20s
    deploy: { replicas: 3, resources: { limits: { cpus: "0.5", memory: 256M } } }
    stop_grace_period: 1m30s
    depends_on: { db: { condition: service_healthy } }
    volumes: ["uploads:/uploads", "./static:/static:ro"]
  jobs:
    build: ./jobs
    command: node jobs.js --queue "new mail"
  db:
    image: postgres:16
    ports: ["5432:5432"]
    volumes: [data:/var/lib/postgresql/data]
volumes: { data: {}, uploads: {} }
`

describe('a Compose file', () => {
  test('becomes services with image, port, health, replicas, resources and volumes', () => {
    const { local } = imported(SHOP)
    expect(Object.keys(local)).toEqual(['web', 'jobs'])
    expect(local.web).toMatchObject({
      listen: { host: '0.0.0.0', port: 8080 },
      run: {
        artifact: 'localhost:5000/web:v{{version}}',
        replicas: 3,
        env: { LOG_LEVEL: 'info', RATIO: '1.10', GREETING: 'hi' },
        stopGraceMs: 90_000,
        resources: { cpus: 0.5, memoryBytes: 256 * 1024 ** 2 },
        container: {
          port: 3000,
          network: 'store_default',
          volumes: [
            { source: 'store_uploads', target: '/uploads', readOnly: false },
            { source: '/p/static', target: '/static', readOnly: true },
          ],
        },
      },
      health: {
        path: '/up',
        intervalMs: 2000,
        timeoutMs: 500,
        failures: 4,
        deadlineMs: 28_000,
        checks: [{ name: 'db', check: { kind: 'address', host: '127.0.0.1', port: 5432 } }],
      },
    })
    expect(local.jobs).toMatchObject({
      listen: null,
      run: { artifact: 'store-jobs:{{version}}', command: ['node', 'jobs.js', '--queue', 'new mail'] },
    })
  })

  test('gets overrides, so that no environment shares a port, a network or a volume', () => {
    const { staging, production } = imported(SHOP)
    expect(staging.web).toMatchObject({
      listen: { port: 18_080 },
      run: {
        replicas: 1,
        resources: { cpus: 0.25 },
        container: { network: 'store-staging_default', volumes: [{ source: 'store-staging_uploads' }, {}] },
      },
    })
    expect(production.web).toMatchObject({ production: true, listen: { port: 28_080 }, run: { replicas: 3 } })
    expect(production.jobs).toMatchObject({ run: { replicas: 2 } })
  })

  test('keeps databases, profiles and what runs once with compose, and says why', () => {
    const { said, local } =
      imported(`${web('    depends_on: { init: { condition: service_completed_successfully } }')}
  init: { image: shop:1 }
  debug: { image: shop:1, profiles: [tools] }
  cache: { image: "registry.local:5000/library/redis:7-alpine" }
  db: { build: ./db, volumes: ["data:/data"] }
  store: { image: shop:1, volumes: ["data:/data:ro"] }
`)
    expect(Object.keys(local)).toEqual(['web', 'store'])
    expect(said).toEqual([
      expect.stringMatching(/^init:6 It runs once and ends/),
      expect.stringMatching(/^debug:7 It has profiles \(tools\)/),
      expect.stringMatching(/^cache:8 It is a store \(registry\.local:5000\/library\/redis\)/),
      expect.stringMatching(/^db:9 It is by its name a store of data \(built from \.\/db\)/),
      expect.stringMatching(/^web.depends_on:5 Nothing waits for init to end/),
    ])
  })

  test('never hands on a value that looks secret', () => {
    const { local, yaml, said, toCheck } = imported(
      `${web(`    environment:
      - API_TOKEN=hunter2
      - DATABASE_URL=postgres://u:hunter2@db/shop
      - DSN_OF=postgres://u:\${DB_PASSWORD:-hunter2}@db
      - PROXY=http://u:hunter2@proxy
      - SITE_URL=https://shop.example.org
      - SECRET_FILE=/run/secrets/key
      - SESSION_SECRET
      - EDITOR
    env_file: [.env.web, missing.env]
    secrets: [key, { source: a-b }]
`)}`,
      folder({ '.env.web': 'SMTP_PASSWORD=hunter2\nMODE=x\n' }),
    )
    expect(`${yaml}${said.join()}${toCheck}`).not.toContain('hunter2')
    expect(local.web).toMatchObject({
      run: {
        env: { SITE_URL: 'https://shop.example.org', SECRET_FILE: '/run/secrets/key' },
        secrets: ['API_TOKEN', 'DATABASE_URL', 'DSN_OF', 'PROXY', 'SESSION_SECRET', 'SMTP_PASSWORD', 'key'],
        container: { secretFiles: true },
      },
    })
    expect(said.join('\n')).toContain('Write the others under run.env: MODE')
    expect(said.join('\n')).toMatch(/web\.environment\.EDITOR:\d+ Its value comes from the shell/)
    expect(said.join('\n')).toContain('"missing.env" is not there')
    expect(toCheck).toContain('All secrets of a service arrive in one way')
  })

  test.each([
    ['privileged: true', 'privileged:5 Instances get no rights'],
    ['devices: ["/dev/sda"]', 'devices:5 Instances get no rights'],
    ['configs: [a]', 'configs:5 Put the file into the image'],
    ['network_mode: host', 'network_mode:5 Instances are several'],
    [
      'networks: [front, back, side, back]',
      'networks:5 An instance is on one network, and front was taken before back, side. Nothing that stays with compose is on front',
    ],
    ['entrypoint: /tini', 'entrypoint:5 run.command takes the place'],
    ['restart: "no"', 'restart:5 An instance that ends is started again'],
    ['stop_signal: SIGINT', 'stop_signal:5 An instance is asked to end with SIGTERM'],
    ['build: .', 'build:5 A release takes an image that is there already'],
    [
      'volumes: ["/var/run/docker.sock:/var/run/docker.sock"]',
      'lets the service do everything on this machine',
    ],
    ['volumes: [/data]', '/data has no name'],
    ['volumes: [{ type: tmpfs, target: /tmp }]', '/tmp is in memory'],
    ['depends_on: [other]', 'depends_on:5 Nothing waits for other'],
    ['environment: { A: "${B}" }', 'environment.A:5 It depends on ${B}'],
    ['environment: { A: "$(date)" }', 'environment.A:5 It has a $ that begins no variable'],
    ['environment: { A: "{{ .Node }}" }', 'environment.A:5 Its value has a {{placeholder}}'],
    ['environment: { "a b": c }', 'environment.a b:5 It is no name of a variable'],
    ['deploy: { placement: {}, resources: { limits: { memory: lots } } }', 'is no size of memory'],
    ['deploy: [1]', 'deploy:5 It is a list'],
    ['deploy: { resources: { reservations: { devices: [] } } }', 'Reservations and devices are not kept'],
    ['healthcheck: { test: [RUN, x] }', 'neither CMD nor CMD-SHELL'],
    ['healthcheck: { test: "true", interval: soon }', '"soon" is no duration'],
    ['replicsa: 3', 'replicsa:5 It is no key of Compose'],
    ['enviroment: {}', 'Did you mean environment?'],
    ['command: "{{x}}"', 'command:5 It has a {{placeholder}}'],
  ])('says what did not map, with the line: %s', (keys, message) => {
    expect(imported(web(`    ${keys}\n`)).said.join('\n')).toContain(message)
  })

  test('says once what becomes of the networks of a service', () => {
    const { said } = imported(web('    networks: [front, back, back]\n'))
    expect(said.filter((one) => one.includes('networks'))).toHaveLength(1)
  })

  test.each([
    ['"3000"', 3000, 8081, 0],
    ['"127.0.0.1:80:3000/tcp"', 3000, 80, 0],
    ['"[::1]:81:3000"', 3000, 81, 0],
    ['"127.0.0.1::3000"', 3000, 8081, 0],
    ['"9000-9002:3000-3002"', 3000, 9000, 0],
    ['3000', 3000, 8081, 0],
    ['{ target: 3000, published: "8088", host_ip: "::1" }', 3000, 8088, 0],
    ['"70000:1", "82:3000", "83:4000", "53:53/udp"', 3000, 82, 3],
  ])('reads ports in every way of writing: %s', (ports, port, listen, left) => {
    const { local, said } = imported(`services: { web: { image: shop, ports: [${ports}] } }`)
    expect(local.web).toMatchObject({ listen: { port: listen }, run: { container: { port } } })
    expect(said.filter((one) => one.startsWith('web.ports'))).toHaveLength(left)
  })

  test.each([
    ['shop', 'shop:{{version}}'],
    ['shop:latest', 'shop:{{version}}'],
    ['localhost:5000/a/shop', 'localhost:5000/a/shop:{{version}}'],
    ['shop:${TAG:?which}-alpine', 'shop:{{version}}-alpine'],
    [`shop@sha256:${'a'.repeat(64)}`, `shop@sha256:${'a'.repeat(64)}`],
  ])('makes the tag of %s the version', (image, artifact) => {
    expect(imported(web('').replace('shop:1', image)).local.web).toMatchObject({ run: { artifact } })
  })

  test('finds the health of sources beside it, and calls by name that would miss the data plane', () => {
    const { local, toCheck } = imported(
      `services:
  web: { build: ./web, ports: ["8080:80"], environment: { API: "http://api:4000/v1" } }
  api: { build: ./api, expose: [4000] }
`,
      folder({ 'web/server.js': "\nif (url === '/readyz') {" }),
    )
    expect(local.web).toMatchObject({ health: { path: '/readyz' } })
    expect(toCheck).toContain('/readyz was seen in web/server.js:2')
    expect(toCheck).toContain('web calls api by name (API)')
  })

  test.each([
    ['', 'IMPORT_NO_COMPOSE: compose.yaml is no Compose file. It is empty.'],
    ['# nothing\n', 'IMPORT_NO_COMPOSE: compose.yaml is no Compose file. It is empty.'],
    ['- a', 'IMPORT_NO_COMPOSE: compose.yaml is no Compose file. It is a list.'],
    ['a: b', 'IMPORT_NO_COMPOSE: compose.yaml is no Compose file. It has no services.'],
    ['services: {}', 'Its services are empty.'],
    ['services: [a]', 'Its services are a list.'],
    ['apiVersion: v1\nkind: Pod', 'It is a Kubernetes manifest (kind "Pod")'],
    ['service: a\nrun: {}', 'It is a sluice.yaml already.'],
    ['services:\n  web: 1', 'IMPORT_BAD_COMPOSE: compose.yaml:2: the service "web" is 1'],
    ['services:\n\tweb: 1', 'IMPORT_BAD_COMPOSE: compose.yaml:2:1: the line is indented with a tab'],
    ['services: {', 'IMPORT_BAD_COMPOSE: compose.yaml:1:'],
    ['services: { a: {}, a: {} }', 'stands twice'],
    ['services: { a: *b }', 'IMPORT_BAD_COMPOSE'],
    ['services: &s { web: { image: a, x: *s } }', 'has an alias inside the block that it stands for'],
    [
      'services: { db: { image: postgres } }',
      'IMPORT_NOTHING_TO_MAP: No service of compose.yaml can be released. db: It is',
    ],
    ['services: { web: { extends: other } }', 'takes what it is from another one with extends'],
    ['services: { web: { image: "${IMAGE}" } }', 'IMPORT_NOTHING_TO_MAP'],
    ['services: { web: { image: "../Oh No" } }', 'is no name of an image'],
  ])('is refused where it cannot be read: %j', (text, message) => {
    expect(refusalOf(text)).toContain(message)
  })

  test('is refused when it grows without end, or is too large', () => {
    const names = [...'abcdefghi']
    const bomb = names.map(
      (name, at) => `${name}: &${name} [${Array(9).fill(at === 0 ? 'x' : `*${names[at - 1]}`)}]`,
    )
    expect(refusalOf(`${bomb.join('\n')}\nservices: { web: { image: x } }`)).toContain(
      'grows to more than 200000 values',
    )
    const many = Array.from({ length: 101 }, (_, at) => `  s${at}: { image: a }`)
    expect(refusalOf(`services:\n${many.join('\n')}`)).toContain('has 101 services')
    expect(refusalOf(`services: { web: { image: "${'x'.repeat(300_000)}" } }`)).toContain('more than 262144')
  })

  test('is named from where the new file stands', () => {
    const text = web('    env_file: plain.env\n    volumes: ["./static:/static:ro", "../up:/up"]\n')
    const files = folder({ 'plain.env': 'COLOUR=red\n' })
    const there = proposeFromCompose({ file: 'app/compose.yaml', text, files, artifact: 'app' })
    expect(there).toMatchObject({
      value: {
        services: [{ envFile: ['app/plain.env'], volumes: ['./app/static:/static:ro', './app/../up:/up'] }],
      },
    })
  })

  test('takes names that are parts of every object for what they are', () => {
    const { local } = imported(
      'services:\n  __proto__: { image: a, environment: { __proto__: x, constructor: y } }\n  constructor: { image: b, networks: { __proto__: {} } }\n',
    )
    expect(Object.keys(local)).toEqual(['proto', 'constructor'])
  })
})

describe('any Compose file', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'a',
      'web',
      '8080:80',
      '${A:-x}',
      '${A}',
      '{{x}}',
      './x:/y',
      '0',
      '512M',
      '10s',
      '__proto__',
      'a\nb',
      '"',
      '#',
    ),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
  )
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 2 },
      word,
      fc.integer({ min: -1, max: 70_000 }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(word, tie('any'), { maxKeys: 3 }),
    ),
  })).any
  const keys = fc.constantFrom(
    ...[
      'command',
      'entrypoint',
      'environment',
      'env_file',
      'secrets',
      'ports',
      'expose',
      'volumes',
      'networks',
    ],
    ...[
      'healthcheck',
      'deploy',
      'depends_on',
      'restart',
      'stop_grace_period',
      'build',
      'profiles',
      'mem_limit',
      'cpus',
    ],
    ...['network_mode', 'image', 'scale', 'privileged', 'x-y'],
  )
  const service = fc
    .tuple(fc.dictionary(keys, value, { maxKeys: 6 }), fc.boolean())
    .map(([one, isNamed]) => (isNamed ? { ...one, image: 'shop:1' } : one))
  const compose = fc.record({
    services: fc.dictionary(word, service, { minKeys: 1, maxKeys: 4 }),
    volumes: value,
    networks: value,
    name: value,
  })

  test('is refused with a cause, or becomes a file that loads in every environment', () => {
    let taken = 0
    fc.assert(
      fc.property(compose, (file) => {
        const text = stringify(file)
        const proposal = propose(text)
        if (proposal.kind === 'failed') return proposal.problem.code.startsWith('IMPORT_')
        taken += 1
        imported(text)
        return true
      }),
      { numRuns: 100 },
    )
    expect(taken).toBeGreaterThan(30)
  })
})
