import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { plainText, redactor } from '../core/shared/redact.ts'
import { emptyState } from './agent-state.ts'
import { capLog, openLog, shorten, tailOf } from './log-file.ts'
import { cgroupFile, readOomKills } from './processes/cgroup.ts'
import { parseSockets } from './processes/listening-ports.ts'
import { parsePs } from './processes/process-table.ts'
import { environmentOf } from './processes/start-process.ts'
import { createSecrets, parseSecretFile } from './secrets.ts'
import { SetRegistry } from './set-registry.ts'
import { readState, saveState } from './state-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-files-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the log of an instance', () => {
  it('moves to the previous file at its cap while the writer goes on appending', () => {
    const path = join(folder, 'a.log')
    const writer = openLog(path)
    writeSync(writer, 'one\ntwo\n')
    capLog(path, 4)
    writeSync(writer, 'three\n')
    closeSync(writer)
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\ntwo\n')
    expect(readFileSync(path, 'utf8')).toBe('three\n')
    expect(tailOf(path, 2)).toEqual(['two', 'three'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('joins a line that was cut by the change of files', () => {
    const path = join(folder, 'a.log')
    writeFileSync(`${path}.1`, 'one\nhalf ')
    writeFileSync(path, 'line\n')
    expect(tailOf(path, 5)).toEqual(['one', 'half line'])
  })

  it('drops a first line whose beginning is out of reach', () => {
    const path = join(folder, 'a.log')
    writeFileSync(path, `${'x'.repeat(300 * 1024)}\nlast\n`)
    expect(tailOf(path, 5)).toEqual(['last'])
    expect(tailOf(join(folder, 'none.log'), 5)).toEqual([])
  })

  it('is shortened only after redacting, and says by how much', () => {
    expect(shorten('x'.repeat(2003))).toBe(`${'x'.repeat(2000)}... (3 more characters)`)
  })

  it('comes back without colours and terminal commands', () => {
    const esc = String.fromCharCode(27)
    expect(
      plainText(
        `${esc}[31mred${esc}[0m\ttab${esc}]0;title${String.fromCharCode(7)}${String.fromCharCode(8)}!`,
      ),
    ).toBe('red\ttab!')
  })
})

describe('redacting', () => {
  it('hides values as they are, inside JSON, inside addresses, and line by line', () => {
    const hide = redactor(['p@ss"word', 'line one\nline two'])
    expect(hide('a p@ss"word b')).toBe('a [redacted] b')
    expect(hide(JSON.stringify({ key: 'p@ss"word' }))).toBe('{"key":"[redacted]"}')
    expect(hide('http://u:p%40ss%22word@host')).toBe('http://u:[redacted]@host')
    expect(hide('> line two <')).toBe('> [redacted] <')
  })

  it('hides the longer of two secrets as a whole, and very short ones where they stand alone', () => {
    expect(redactor(['abcd', 'abcdefgh'])('abcdefgh')).toBe('[redacted]')
    expect(redactor(['7'])('pin 7, port 7777')).toBe('pin [redacted], port 7777')
    expect(redactor(['', ' '])('a b')).toBe('a b')
  })
})

describe('secrets of the host', () => {
  it('come from the file first, then from the environment of the agent', () => {
    const agentFolder = join(folder, 'agent')
    mkdirSync(agentFolder)
    writeFileSync(join(folder, 'secrets.env'), 'F=from file\n', { mode: 0o600 })
    expect(createSecrets({ agentFolder, env: { F: 'from env' } }).resolve(['F'])).toEqual({
      kind: 'ok',
      value: { F: 'from file' },
    })
    const secrets = createSecrets({ agentFolder, env: { A: 'from env' } })
    expect(secrets.resolve(['A'])).toEqual({ kind: 'ok', value: { A: 'from env' } })
    expect(secrets.redact('is from env')).toBe('is [redacted]')
    expect(secrets.resolve(['A', 'B'])).toMatchObject({
      problem: { code: 'SECRET_MISSING', message: expect.stringMatching(/"B"/) },
    })
    const versions = secrets.versions(['A'])
    expect(createSecrets({ agentFolder, env: { A: 'from env' } }).versions(['A'])).toEqual(versions)
    expect(createSecrets({ agentFolder, env: { A: 'other' } }).versions(['A'])).not.toEqual(versions)
  })

  it('are read from KEY=VALUE lines', () => {
    expect(parseSecretFile('# no\nA=1\nexport B="two words"\n\nC=a=b\r\nbad line\nD=\'q\'')).toEqual({
      A: '1',
      B: 'two words',
      C: 'a=b',
      D: 'q',
    })
  })
})

describe('agent.json', () => {
  it('is replaced as a whole and read back as it was', () => {
    const path = join(folder, 'agent.json')
    const state = { ...emptyState('boot'), tokens: { shop: { epoch: 1, sequence: 2, rollout: null } } }
    saveState(path, state)
    expect(readState(path, 'other')).toEqual({ kind: 'ok', value: state })
    expect(existsSync(`${path}.new`)).toBe(false)
  })

  it('that is damaged is refused, never taken for empty', () => {
    const path = join(folder, 'agent.json')
    writeFileSync(path, '{"format":1')
    expect(readState(path, 'boot')).toMatchObject({
      kind: 'failed',
      problem: { code: 'AGENT_STATE_UNREADABLE' },
    })
  })

  it('holds a token before anything acts on it, and refuses a lower one', () => {
    const path = join(folder, 'agent.json')
    const registry = new SetRegistry(path, emptyState('boot'))
    const token = (epoch: number, sequence: number) => ({ epoch, sequence, rollout: null })
    expect(registry.admit('shop', token(2, 1)).kind).toBe('ok')
    expect(JSON.parse(readFileSync(path, 'utf8')).tokens.shop).toEqual(token(2, 1))
    expect(registry.admit('shop', token(2, 1)).kind).toBe('ok')
    expect(registry.admit('shop', token(1, 99))).toMatchObject({ problem: { code: 'STALE_TOKEN' } })
    expect(registry.admit('constructor', token(1, 1)).kind).toBe('ok')
  })
})

describe('what the system says', () => {
  it('about listeners, in both address families', () => {
    const v4 =
      '  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4242 1\n   1: 0100007F:1F91 0100007F:0001 01 0:0 0:0 0 0 0 99 1'
    expect(parseSockets(v4)).toEqual([{ address: '127.0.0.1', port: 8080, inode: '4242' }])
    const row = (address: string) => `0: ${address}:0BB8 ${'0'.repeat(32)}:0000 0A 0:0 0:0 0 0 0 7 1`
    expect(parseSockets(row('0'.repeat(32)))[0]?.address).toBe('[::]')
    expect(parseSockets(row(`${'0'.repeat(24)}01000000`))[0]?.address).toBe('[::1]')
  })

  it('about cgroups of both versions', () => {
    expect(cgroupFile('4:memory:/a/b\n0::/\n')).toBe('/sys/fs/cgroup/memory/a/b/memory.oom_control')
    expect(cgroupFile('0::/system.slice/x.scope\n')).toBe('/sys/fs/cgroup/system.slice/x.scope/memory.events')
    const file = join(folder, 'memory.events')
    appendFileSync(file, 'low 0\noom 1\noom_kill 3\n')
    expect(readOomKills(file)).toBe(3)
    expect(readOomKills(join(folder, 'none'))).toBeNull()
  })

  it('about processes through ps, where there is no /proc', () => {
    const text = '  1   0   1 Ss   Mon Nov  2 10:00:00 2026\n 55   1  55 Z+   Mon Nov  2 10:00:01 2026\n'
    expect(parsePs(text)).toEqual([
      { pid: 1, parent: 0, group: 1, session: 1, startTime: 'Mon Nov  2 10:00:00 2026' },
    ])
  })
})

describe('the environment of an instance', () => {
  it('holds a few inherited names, its own, its secrets, and last what it is', () => {
    const health = { path: '/', intervalMs: 1, timeoutMs: 1, successes: 1, failures: 1, deadlineMs: 1 }
    const env = { PORT: '1', URL: 'http://x:{{port}}/{{version}}' }
    const base = {
      service: 's',
      release: 'r',
      version: '2',
      command: ['x'],
      folder: '/',
      secrets: ['K'],
      stopGraceMs: 0,
    }
    const agentEnv = { PATH: '/bin', NODE_ENV: 'development', K: 'agent' }
    const request = {
      spec: { ...base, env, health },
      instance: 'i',
      port: 9,
      secrets: { K: 'v' },
      logFile: '',
      agentEnv,
    }
    expect(environmentOf(request)).toEqual({
      PATH: '/bin',
      URL: 'http://x:9/2',
      K: 'v',
      PORT: '9',
      SLUICE_VERSION: '2',
      SLUICE_INSTANCE: 'i',
    })
  })
})
