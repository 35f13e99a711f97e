import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProjectFiles } from '../init/project-files.ts'
import { loadConfig } from '../load.ts'
import { envNames } from './env-names.ts'
import { parseProcfile } from './procfile.ts'
import { proposeFromProcfile } from './propose.ts'
import { renderProposal } from './render.ts'

const folder = (files: Record<string, string> = {}, folderName = 'shop'): ProjectFiles => ({
  folderName,
  exists: (path) => path in files,
  read: (path) => files[path] ?? null,
  list: (path) => (path === '.' ? Object.keys(files) : []),
})
const propose = (text: string, files = folder()) =>
  proposeFromProcfile({ file: 'Procfile', text, files, artifact: '.' })

function imported(text: string, files = folder()) {
  const proposal = propose(text, files)
  if (proposal.kind === 'failed') throw new Error(proposal.problem.message)
  const yaml = renderProposal(proposal.value)
  const environments = ['local', 'staging', 'production'].map((environment) => {
    const loaded = loadConfig({ file: '/p/sluice.yaml', text: yaml, environment })
    if (loaded.kind === 'failed')
      throw new Error(`${loaded.problem.map(({ message }) => message).join('\n')}\n${yaml}`)
    const [settings, ...workers] = loaded.value.services
    if (settings === undefined) throw new Error('no service')
    return { ...settings, workers }
  })
  const [local, staging, production] = environments
  if (local === undefined) throw new Error('no environment')
  return { local, staging, production, yaml, proposal: proposal.value }
}
function refusalOf(text: string): string {
  const proposal = propose(text)
  return proposal.kind === 'ok' ? 'taken' : `${proposal.problem.code}: ${proposal.problem.message}`
}

describe('a Procfile', () => {
  test('becomes a service that loads, with its own ports for staging and production', () => {
    const { local, staging, production } = imported(
      '# how it runs\nweb: RACK_ENV=production bundle exec puma -b tcp://0.0.0.0:$PORT\r\n',
    )
    expect(local.service).toBe('shop')
    expect(local.run.command).toEqual(['bundle', 'exec', 'puma', '-b', 'tcp://0.0.0.0:{{port}}'])
    expect(local.run.env).toEqual({ RACK_ENV: 'production' })
    expect(staging).toMatchObject({ listen: { port: 8081 }, run: { replicas: 1 } })
    expect(production).toMatchObject({ production: true, listen: { port: 8082 }, run: { replicas: 2 } })
  })

  test('makes workers services of their own, which take no requests', () => {
    const { local, staging, proposal } = imported(
      'web: node server.js\nmail_queue: QUEUE=mail node jobs.js\n',
    )
    expect(local.workers).toMatchObject([
      {
        service: 'shop-mail-queue',
        listen: null,
        run: { command: ['node', 'jobs.js'], env: { QUEUE: 'mail' }, replicas: 2 },
        health: { check: { kind: 'runs' } },
      },
    ])
    expect(staging).toMatchObject({
      listen: { port: 8081 },
      workers: [{ listen: null, run: { replicas: 1 } }],
    })
    expect(proposal.toCheck.join(' ')).toContain('Nothing tells whether the worker shop-mail-queue is well')
  })

  test('says what did not map, with line and reason', () => {
    const { proposal, yaml } = imported(
      'web: node server.js\nclock: node clock.js\nrelease: node migrate.js\nA-b: x\na_b: y\n',
    )
    expect(proposal.notMapped).toMatchObject([
      { name: 'clock', line: 2, why: expect.stringContaining('one of it only') },
      { name: 'release', line: 3, why: expect.stringContaining('once for each release') },
      { name: 'a_b', line: 5, why: expect.stringContaining('the same as another one') },
    ])
    expect(yaml).toContain('# Not mapped: clock (line 2).')
    expect(proposal.toCheck.join(' ')).toContain('listens on the port in the variable PORT')
  })

  test('keeps a line that needs a shell, and says so', () => {
    const { local, proposal } = imported('web: ./build.sh && exec node server.js --port $PORT')
    expect(local.run.command).toEqual(['sh', '-c', './build.sh && exec node server.js --port $PORT'])
    expect(proposal.toCheck[0]).toContain('needs a shell')
  })

  test('takes names from .env and never a value', () => {
    const files = folder({
      '.env':
        'DATABASE_URL=postgres://u:hunter2@db/shop\nexport API_TOKEN="hunter2"\nLOG_LEVEL=hunter2\nPORT=1\n# SECRET=hunter2',
    })
    const { local, yaml, proposal } = imported('web: node server.js', files)
    expect(local.run.secrets).toEqual(['DATABASE_URL', 'API_TOKEN'])
    expect(yaml).toContain('LOG_LEVEL')
    expect(`${yaml}${JSON.stringify(proposal)}`).not.toContain('hunter2')
  })

  test.each([
    ['', 'IMPORT_BAD_PROCFILE: Procfile names no process.'],
    ['# nothing\n\n', 'IMPORT_BAD_PROCFILE: Procfile names no process.'],
    [
      'web: x\nnode server.js',
      'IMPORT_BAD_PROCFILE: Procfile:2 is "node server.js", which names no process.',
    ],
    ['web:', 'IMPORT_BAD_PROCFILE: Procfile:1 names the process web without a command.'],
    ['web: a\nweb: b', 'IMPORT_BAD_PROCFILE: Procfile:2 names the process web, which line 1 names already.'],
    ['web: run {{x}}', 'IMPORT_BAD_PROCFILE: Procfile:1 starts the process web with a {{placeholder}}'],
    [
      'worker: a\nclock: b',
      'IMPORT_NOTHING_TO_MAP: Procfile has no process called web: it names worker, clock.',
    ],
    [
      Array.from({ length: 101 }, (_, index) => `p${index}: x`).join('\n'),
      'IMPORT_BAD_PROCFILE: Procfile:101 is process number 101, and at most 100 are read.',
    ],
  ])('is refused where it cannot be read: %j', (text, message) => {
    expect(refusalOf(text)).toContain(message)
  })
})

describe('any Procfile', () => {
  const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  const command = fc.oneof(
    fc.constantFrom('node server.js --port $PORT', 'A=1 B="x y" ./run', 'a | b > c', "sh -c 'x'", 'x "'),
    fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(' ')),
  )
  const procfile = fc
    .array(fc.tuple(fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/), command), { maxLength: 5 })
    .chain((others) =>
      command.map((web) => [...others, ['web', web]].map((line) => line.join(': ')).join('\n')),
    )
  const env = fc
    .array(fc.tuple(fc.oneof(word, fc.stringMatching(/^[A-Z_]{1,10}$/)), word), { maxLength: 5 })
    .map((lines) => lines.map((line) => line.join('=')).join('\n'))

  test('is refused with a cause, or becomes a file that loads in every environment with its command', () => {
    let taken = 0
    fc.assert(
      fc.property(procfile, env, fc.string({ unit: 'grapheme' }), (text, dotEnv, folderName) => {
        const files = folder({ '.env': dotEnv }, folderName)
        const proposal = propose(text, files)
        if (proposal.kind === 'failed') return proposal.problem.code.startsWith('IMPORT_')
        taken += 1
        const { local, proposal: made } = imported(text, files)
        const runs = [local, ...local.workers].map(({ service, run: { command, env, secrets } }) => ({
          ...{ service, command, env, secrets },
        }))
        expect(runs).toEqual(
          made.services.map(({ name, command, env }) => ({
            ...{ service: name, command, env, secrets: made.names.secrets },
          })),
        )
        return true
      }),
      { numRuns: 120 },
    )
    expect(taken).toBeGreaterThan(30)
  })

  test('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        parseProcfile('Procfile', text)
        envNames(text)
      }),
    )
  })
})
