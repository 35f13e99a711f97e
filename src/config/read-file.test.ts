import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from './load.ts'

const MINIMAL = 'service: shop\nrun: { command: node server.js }\nlisten: 8080\nhealth: { path: /up }\n'

describe('a file on disk', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-config-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const codeOf = (file: string): string => {
    const loaded = loadConfig({ file })
    return loaded.kind === 'ok' ? 'ok' : loaded.problem.map((one) => one.code).join()
  }

  test('is read from its place, and relative paths start there', () => {
    const file = join(folder, 'sluice.yaml')
    writeFileSync(file, MINIMAL)
    const loaded = loadConfig({ file })
    expect(loaded).toMatchObject({
      kind: 'ok',
      value: { file, folder, services: [{ run: { artifact: folder } }] },
    })
  })

  test('of 256 KiB is taken, and a larger one is refused with the limit', () => {
    const file = join(folder, 'long.yaml')
    writeFileSync(file, MINIMAL.padEnd(262_144, '#'))
    expect(codeOf(file)).toBe('ok')
    writeFileSync(file, MINIMAL.padEnd(262_145, '#'))
    expect(loadConfig({ file })).toMatchObject({
      problem: [{ code: 'CONFIG_FILE_TOO_LARGE', message: `${file}: has 262145 bytes, more than 262144` }],
    })
  })

  test('that is missing, a folder, binary or not UTF-8 is its own problem', () => {
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'latin1.yaml'), Buffer.from('service: caf\xe9', 'latin1'))
    writeFileSync(join(folder, 'utf16.yaml'), Buffer.from('\uFEFFservice: a', 'utf16le'))
    writeFileSync(join(folder, 'program'), Buffer.from([127, 69, 76, 70, 0, 1]))
    writeFileSync(join(folder, 'large.yaml'), '#'.repeat(262_145))
    expect(codeOf(join(folder, 'none.yaml'))).toBe('CONFIG_FILE_MISSING')
    expect(codeOf(join(folder, 'sluice.yaml', 'below'))).toBe('CONFIG_FILE_MISSING')
    expect(codeOf(join(folder, 'sub'))).toBe('CONFIG_FILE_IS_FOLDER')
    expect(codeOf(join(folder, 'latin1.yaml'))).toBe('CONFIG_FILE_NOT_UTF8')
    expect(codeOf(join(folder, 'utf16.yaml'))).toBe('CONFIG_FILE_NOT_UTF8')
    expect(codeOf(join(folder, 'program'))).toBe('CONFIG_FILE_BINARY')
    expect(codeOf(join(folder, 'large.yaml'))).toBe('CONFIG_FILE_TOO_LARGE')
    expect(codeOf('/dev/null')).toBe('CONFIG_FILE_UNREADABLE')
  })

  test('that may not be read says so', ({ skip }) => {
    if (process.getuid?.() === 0) skip('root may read every file')
    const file = join(folder, 'closed.yaml')
    writeFileSync(file, MINIMAL)
    chmodSync(file, 0)
    expect(codeOf(file)).toBe('CONFIG_FILE_UNREADABLE')
  })
})
