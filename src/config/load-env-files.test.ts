import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'

const FILE = `service: shop
run:
  command: node server.js
  envFile: [./common.env, ./more.env]
  env: { FROM_FILE: run.env, LOG_LEVEL: info }
listen: 8080
health: { path: /up }
environments:
  staging: { run: { env: { LOG_LEVEL: debug } } }
  production: { run: { envFile: [./production.env] } }
`

describe('env files', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-env-'))
    write('sluice.yaml', FILE)
    write('common.env', 'A=common\nB=common\nFROM_FILE=common\nLOG_LEVEL=common\n')
    write('more.env', '# more\nB=more\n')
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const write = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content)
  const load = (environment = 'local') => loadConfig({ file: join(folder, 'sluice.yaml'), environment })
  const envOf = (environment?: string) => {
    const loaded = load(environment)
    return loaded.kind === 'ok' ? loaded.value.services[0]?.run.env : loaded.problem
  }
  const problemsOf = (environment?: string) => {
    const loaded = load(environment)
    return loaded.kind === 'ok' ? [] : loaded.problem
  }

  it('are read in order, below env, below what an environment says', () => {
    expect(envOf()).toEqual({ A: 'common', B: 'more', FROM_FILE: 'run.env', LOG_LEVEL: 'info' })
    expect(envOf('staging')).toMatchObject({ B: 'more', LOG_LEVEL: 'debug' })
  })

  it('are replaced by those of an environment, whose absence elsewhere is no mistake', () => {
    expect(problemsOf('production').map(({ code, at }) => [code, at])).toEqual([
      ['CONFIG_ENV_FILE_MISSING', { line: 10, column: 34 }],
    ])
    write('production.env', 'A=production\nLOG_LEVEL=warn')
    expect(envOf('production')).toEqual({ A: 'production', FROM_FILE: 'run.env', LOG_LEVEL: 'info' })
  })

  it('are named by explain with the line each value comes from', () => {
    const loaded = load()
    const rows = loaded.kind === 'ok' ? explainSettings(loaded.value) : []
    const origin = (name: string) => rows.find(({ path }) => path === `run.env.${name}`)?.originText
    expect(origin('A')).toBe('./common.env:1:3')
    expect(origin('B')).toBe('./more.env:2:3')
    expect(origin('LOG_LEVEL')).toMatch(/sluice\.yaml:5:41$/)
  })

  it('with mistakes are refused with place and remedy, also for another environment', () => {
    write('common.env', 'A=1\nB\n')
    write('production.env', 'A=$HOME\n')
    expect(problemsOf().map(({ message }) => message)).toEqual([
      './production.env:1:3: the value has a $NAME, which is not replaced here',
      './common.env:2:1: the line is not NAME=value',
    ])
  })

  it.each([
    ['CONFIG_ENV_FILE_TOO_LARGE', () => write('more.env', '#'.repeat(1_048_577))],
    ['CONFIG_ENV_FILE_BINARY', () => write('more.env', 'A=\0')],
    ['CONFIG_ENV_FILE_UNREADABLE', () => write('more.env', Buffer.from('A=caf\xe9', 'latin1'))],
    ['CONFIG_ENV_FILE_UNREADABLE', () => write('more.env', Buffer.from('\uFEFFA=1', 'utf16le'))],
    [
      'CONFIG_ENV_FILE_UNREADABLE',
      () => {
        rmSync(join(folder, 'more.env'))
        mkdirSync(join(folder, 'more.env'))
      },
    ],
    ['CONFIG_ENV_FILE_MISSING', () => rmSync(join(folder, 'more.env'))],
  ])('are refused as %s', (code, spoil) => {
    spoil()
    const [first] = problemsOf()
    expect(first?.code).toBe(code)
    expect(first?.at).not.toBeNull()
    expect(first?.remedy).not.toBe('')
  })

  it('may not set what Sluice sets, and the complaint stands at the line of the file', () => {
    write('more.env', 'X=1\nPORT=3000\n')
    expect(problemsOf().map(({ message }) => message)).toEqual([
      './more.env:2:6: run.env.PORT is set by Sluice for each instance',
    ])
  })
})
