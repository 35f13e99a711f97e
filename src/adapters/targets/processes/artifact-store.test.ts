import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tar from 'tar'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Result } from '../../../core/shared/result.ts'
import { type ArtifactStore, createArtifactStore } from './artifact-store.ts'
import { describeEscape } from './unpack.ts'

let folder = ''
let source = ''
let store: ArtifactStore
const stored = () => readdirSync(join(folder, 'store')).sort()

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
  source = join(folder, 'builds', '1.0.0')
  store = createArtifactStore(join(folder, 'store'))
  mkdirSync(join(source, 'lib'), { recursive: true })
  writeFileSync(join(source, 'server.js'), 'serve()')
  writeFileSync(join(source, 'lib', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 })
  symlinkSync('lib/run.sh', join(source, 'start'))
})
afterEach(async () => {
  await store.prune([])
  rmSync(folder, { recursive: true, force: true })
})

const pattern = () => join(folder, 'builds', '{{version}}')
const resolve = (version = '1.0.0', artifact = pattern()) => store.resolve({ artifact, version })

describe('the artifact store', () => {
  it('leaves out what is no part of a release, wherever a link to it leads', async () => {
    mkdirSync(join(source, 'tls'))
    for (const name of ['shop.pem', 'real.key', 'other.key']) writeFileSync(join(source, 'tls', name), name)
    symlinkSync('real.key', join(source, 'tls', 'shop.key'))
    symlinkSync(source, join(folder, 'current'))
    const without = ['shop.pem', 'shop.key'].map((name) => join(folder, 'current', 'tls', name))
    const made = mustOk(await store.resolve({ artifact: pattern(), version: '1.0.0', without }))
    expect(readdirSync(join(made.folder, 'tls'))).toEqual(['other.key'])
    // A renewed certificate is no other release.
    writeFileSync(join(source, 'tls', 'shop.pem'), 'renewed')
    const again = mustOk(await store.resolve({ artifact: pattern(), version: '1.0.0', without }))
    expect(again.digest).toBe(made.digest)
    // One that is not there is no reason to fail: another check says so.
    rmSync(join(source, 'tls', 'real.key'))
    expect((await store.resolve({ artifact: pattern(), version: '1.0.0', without })).kind).toBe('ok')
  })

  it('keeps a read-only copy under the name of its content', async () => {
    const made = mustOk(await resolve())
    expect(made).toMatchObject({ files: 2, bytes: 17, warnings: [] })
    expect(made.folder).toBe(join(folder, 'store', made.digest.replace(':', '-')))
    expect(statSync(join(made.folder, 'server.js')).mode & 0o777).toBe(0o444)
    expect(statSync(join(made.folder, 'lib', 'run.sh')).mode & 0o777).toBe(0o555)
    expect(statSync(made.folder).mode & 0o222).toBe(0)
    expect(readlinkSync(join(made.folder, 'start'))).toBe('lib/run.sh')
    expect(stored()).toEqual([made.digest.replace(':', '-')])
  })

  it('gives the same bytes the same digest and one copy, whatever their time, place or name of version', async () => {
    const first = mustOk(await resolve())
    const inode = lstatSync(join(first.folder, 'server.js')).ino
    utimesSync(join(source, 'server.js'), 1, 1)
    expect(mustOk(await resolve())).toEqual(first)
    expect(lstatSync(join(first.folder, 'server.js')).ino).toBe(inode)
    expect(stored()).toHaveLength(1)
  })

  it.each<[string, () => void]>([
    ['a byte', () => writeFileSync(join(source, 'server.js'), 'serve!)')],
    ['an execute bit', () => chmodSync(join(source, 'server.js'), 0o755)],
    ['a name', () => writeFileSync(join(source, 'empty'), '')],
    ['an empty folder', () => mkdirSync(join(source, 'data'))],
    [
      'where a link points',
      () => {
        rmSync(join(source, 'start'))
        symlinkSync('server.js', join(source, 'start'))
      },
    ],
  ])('gives another digest when %s changes', async (_, change) => {
    const before = mustOk(await resolve())
    change()
    expect(mustOk(await resolve()).digest).not.toBe(before.digest)
  })

  it('leaves out .git and .sluice, so the project folder itself can be released', async () => {
    const before = mustOk(await resolve())
    mkdirSync(join(source, '.git'))
    writeFileSync(join(source, '.git', 'HEAD'), 'ref')
    mkdirSync(join(source, '.sluice'))
    writeFileSync(join(source, '.sluice', 'state'), 'x')
    expect(mustOk(await resolve()).digest).toBe(before.digest)
  })

  it('warns of links that lead outside and keeps them as they are', async () => {
    symlinkSync('/etc/hosts', join(source, 'hosts'))
    symlinkSync('../../elsewhere', join(source, 'lib', 'up'))
    const { warnings } = mustOk(await resolve())
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toMatch(/^hosts points outside the artifact, to \/etc\/hosts/)
  })

  it('unpacks archives to the same digest as the folder they were made from', async () => {
    const plain = mustOk(await resolve())
    for (const [name, gzip] of [
      ['a.tar', false],
      ['b.tar.gz', true],
      ['c.tgz', true],
    ] as const) {
      await tar.create({ file: join(folder, name), cwd: source, gzip }, ['.'])
      expect(mustOk(await resolve('1', join(folder, name))).digest).toBe(plain.digest)
    }
    expect(stored()).toHaveLength(1)
  })

  it('refuses an archive that is broken, or whose paths or links lead outside, and writes nothing', async () => {
    symlinkSync('../../../etc', join(source, 'lib', 'etc'))
    await tar.create({ file: join(folder, 'bad.tar'), cwd: source }, ['.'])
    expect(await resolve('1', join(folder, 'bad.tar'))).toMatchObject({
      problem: { code: 'ARTIFACT_ESCAPES' },
    })
    writeFileSync(join(folder, 'broken.tgz'), 'this is no archive')
    expect(await resolve('1', join(folder, 'broken.tgz'))).toMatchObject({
      problem: { code: 'ARTIFACT_UNREADABLE' },
    })
    expect(stored()).toEqual([])
    expect(describeEscape('../x', 'File', '')).toMatch(/leads outside/)
    expect(describeEscape('/x', 'File', '')).toMatch(/leads outside/)
    expect(describeEscape('a/../../x', 'File', '')).toMatch(/leads outside/)
    expect(describeEscape('a/b', 'Link', '../x')).toMatch(/points outside/)
    expect(describeEscape('a/b', 'SymbolicLink', '../x')).toBeNull()
    expect(describeEscape('a/', 'Directory', '')).toBeNull()
  })

  it('takes a single file under its own name', async () => {
    writeFileSync(join(folder, 'shop-2.bin'), 'bytes', { mode: 0o755 })
    const made = mustOk(await resolve('2', join(folder, 'shop-{{version}}.bin')))
    expect(readdirSync(made.folder)).toEqual(['shop-2.bin'])
    expect(readFileSync(join(made.folder, 'shop-2.bin'), 'utf8')).toBe('bytes')
  })

  it('names the versions that exist when one is missing, newest first', async () => {
    for (const version of ['1.9.0', '1.10.0']) mkdirSync(join(folder, 'builds', version))
    expect(await resolve('2.0.0')).toMatchObject({
      kind: 'failed',
      problem: {
        code: 'ARTIFACT_NOT_FOUND',
        message: `version 2.0.0 has no artifact: ${join(folder, 'builds', '2.0.0')} does not exist; there are: 1.10.0, 1.9.0, 1.0.0`,
      },
    })
    writeFileSync(join(folder, 'shop-7.tgz'), '')
    const missing = await resolve('8', join(folder, 'shop-{{version}}.tgz'))
    expect(missing).toMatchObject({ problem: { message: expect.stringMatching(/there are: 7$/) } })
  })

  it('refuses relative paths, versions that are paths, empty folders and files that are none', async () => {
    expect(await resolve('1', './x')).toMatchObject({ problem: { code: 'ARTIFACT_PATH_RELATIVE' } })
    expect(await resolve('../x')).toMatchObject({ problem: { code: 'ARTIFACT_VERSION_UNSAFE' } })
    mkdirSync(join(folder, 'builds', '2', 'only', 'folders'), { recursive: true })
    expect(await resolve('2')).toMatchObject({ problem: { code: 'ARTIFACT_EMPTY' } })
    expect(await resolve('1', '/dev/null')).toMatchObject({ problem: { code: 'ARTIFACT_UNSUPPORTED_FILE' } })
  })

  it('notices that the source changed while it was copied, and can be asked again', async () => {
    // It is read in no time and copied when the large one beside it is read: many changes fall between the two.
    const growing = join(source, 'growing.log')
    writeFileSync(growing, 'begin')
    writeFileSync(join(source, 'large.bin'), Buffer.alloc(96 * 1024 * 1024))
    const writer = setInterval(() => appendFileSync(growing, 'more'), 0)
    const answer = await resolve()
    clearInterval(writer)
    expect(answer).toMatchObject({ problem: { code: 'ARTIFACT_CHANGED', retryable: true } })
    expect(stored()).toEqual([])
    expect((await resolve()).kind).toBe('ok')
  })

  it('notices a stored copy that was changed, and tolerates what a running version wrote beside it', async () => {
    const made = mustOk(await resolve())
    chmodSync(made.folder, 0o755)
    writeFileSync(join(made.folder, 'cache.tmp'), '')
    expect(mustOk(await resolve()).warnings[0]).toMatch(/running version wrote there: cache\.tmp/)
    chmodSync(join(made.folder, 'server.js'), 0o644)
    writeFileSync(join(made.folder, 'server.js'), 'evil()')
    expect(await resolve()).toMatchObject({
      problem: { code: 'ARTIFACT_CORRUPT', message: expect.stringMatching(/server\.js/) },
    })
  })

  it('ends with one copy when the same version is asked for twice at once', async () => {
    const [one, other] = await Promise.all([resolve(), resolve()])
    expect(mustOk(one)).toEqual(mustOk(other))
    expect(stored()).toHaveLength(1)
  })

  it('removes all copies but those to keep, and what an interrupted copy left an hour ago', async () => {
    const first = mustOk(await resolve())
    writeFileSync(join(source, 'server.js'), 'two')
    const second = mustOk(await resolve())
    mkdirSync(join(folder, 'store', '.tmp-old'))
    utimesSync(join(folder, 'store', '.tmp-old'), 1, 1)
    mkdirSync(join(folder, 'store', '.tmp-new'))
    expect(mustOk(await store.prune([second.digest]))).toEqual([first.digest])
    expect(stored()).toEqual(['.tmp-new', second.digest.replace(':', '-')])
    expect(existsSync(join(second.folder, 'server.js'))).toBe(true)
    expect(mustOk(await store.prune([second.digest]))).toEqual([])
  })
})

function mustOk<T>(result: Result<T>): T {
  if (result.kind === 'failed') throw new Error(`${result.problem.code}: ${result.problem.message}`)
  return result.value
}
