import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aboutRelease } from './about.ts'

const AUTHOR = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false']

describe('what is said about a release', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-source-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const git = (...words: string[]): string =>
    execFileSync('git', ['-C', folder, ...AUTHOR, ...words], { encoding: 'utf8', stdio: 'pipe' }).trim()
  const about = (input: { notes?: string; commit?: string }, of = folder) =>
    aboutRelease(input, { cwd: folder, folder: of })

  it('is the commit checked out around the settings, and whether tracked files differ', async () => {
    git('init', '--quiet')
    expect(await about({})).toEqual({ kind: 'ok', value: {} })
    writeFileSync(path.join(folder, 'server.js'), '1')
    mkdirSync(path.join(folder, 'deploy'))
    git('add', '-A')
    git('commit', '--quiet', '-m', 'first')
    const commit = git('rev-parse', 'HEAD')
    writeFileSync(path.join(folder, 'notes.txt'), 'untracked')
    const inner = path.join(folder, 'deploy')
    expect(await about({}, inner)).toEqual({ kind: 'ok', value: { commit, dirty: false } })
    writeFileSync(path.join(folder, 'server.js'), '2')
    expect(await about({}, inner)).toEqual({ kind: 'ok', value: { commit, dirty: true } })
    expect(await about({ commit: 'ABCDEF0' })).toEqual({ kind: 'ok', value: { commit: 'ABCDEF0' } })
  })

  it('is nothing where there is no checkout', async () => {
    expect(await about({})).toEqual({ kind: 'ok', value: {} })
    expect(await about({}, path.join(folder, 'missing'))).toEqual({ kind: 'ok', value: {} })
  })

  it('takes notes as text or from a file, and refuses what is neither', async () => {
    writeFileSync(path.join(folder, 'NOTES.md'), 'Faster.\n\nMore.\n')
    expect(await about({ notes: 'Faster.' })).toEqual({ kind: 'ok', value: { notes: 'Faster.' } })
    expect(await about({ notes: '@NOTES.md' })).toEqual({
      kind: 'ok',
      value: { notes: 'Faster.\n\nMore.' },
    })
    for (const [input, what] of [
      [{ notes: '@missing.md' }, 'ENOENT'],
      [{ notes: 'x'.repeat(10_001) }, '--notes: '],
      [{ commit: 'main' }, '--commit: must be 7 to 64 hexadecimal digits'],
    ] as const)
      expect(await about(input)).toMatchObject({
        kind: 'failed',
        problem: { code: 'USAGE', message: expect.stringContaining(what) },
      })
  })
})
