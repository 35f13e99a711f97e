import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestIo } from '../fixture/test-io.test.fixture.ts'
import { runCli } from '../main.ts'

describe('init, validate and explain', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-init-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const run = async (...argv: string[]) => {
    const io = createTestIo({ cwd: folder })
    return { code: await runCli(argv, io), out: io.stdout(), err: io.stderr() }
  }

  it('writes a file that validates, adds .sluice/ to .gitignore once, and says what next', async () => {
    writeFileSync(path.join(folder, '.gitignore'), 'node_modules')
    const first = await run('init', '--command', 'node server.js --port {{port}}')
    expect(first.code).toBe(0)
    expect(first.out).toContain('Added .sluice/ to .gitignore')
    expect(first.out).toContain('sluice deploy 1.0.0')
    expect(readFileSync(path.join(folder, '.gitignore'), 'utf8')).toBe('node_modules\n.sluice/\n')
    expect((await run('validate')).code).toBe(0)
    const explained = await run('explain')
    expect(explained.out).toMatch(/run\.replicas +2 +\S*sluice\.yaml:\d+/)
  })

  it('never overwrites a file', async () => {
    writeFileSync(path.join(folder, 'sluice.yaml'), 'mine')
    expect((await run('init', '--command', 'node server.js')).code).toBe(13)
    expect(readFileSync(path.join(folder, 'sluice.yaml'), 'utf8')).toBe('mine')
  })

  it('prints instead of writing with --print', async () => {
    const { out } = await run('init', '--print', '--command', 'node server.js')
    expect(out).toContain('run:')
    expect((await run('validate')).code).toBe(2)
  })

  it('shows every mistake of the file with line and column, exit code 2', async () => {
    writeFileSync(
      path.join(folder, 'sluice.yaml'),
      'service: shop\nrun: { artifact: ., comand: x }\nlisten: nowhere\nhealth: { path: /up }\n',
    )
    const { code, err } = await run('validate')
    expect(code).toBe(2)
    expect(err).toContain('sluice.yaml:2:')
    expect(err).toContain('sluice.yaml:3:')
    expect(err.match(/✗/g)?.length).toBeGreaterThan(1)
  })
})
