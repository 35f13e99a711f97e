import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestIo } from '../fixture/test-io.test.fixture.ts'
import { runCli } from '../main.ts'

describe('import', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-import-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const run = async (...argv: string[]) => {
    const io = createTestIo({ cwd: folder })
    return { code: await runCli(argv, io), out: io.stdout(), err: io.stderr() }
  }
  const write = (name: string, content: string | Buffer) => writeFileSync(path.join(folder, name), content)

  it('writes a file that validates, and says what did not map', async () => {
    write('Procfile', 'web: node server.js --port $PORT\nworker: node jobs.js\nrelease: node migrate.js\n')
    write('.env', 'DATABASE_URL=postgres://hunter2@db\n')
    const { code, out } = await run('import', 'Procfile', '--name', 'shop')
    expect(code).toBe(0)
    expect(out).toContain('shop-worker (worker)')
    expect(out).toContain('Not mapped: release (line 3)')
    expect(out).toContain('Secrets by name, values not read: DATABASE_URL')
    expect(`${out}${readFileSync(path.join(folder, 'sluice.yaml'), 'utf8')}`).not.toContain('hunter2')
    expect((await run('validate')).code).toBe(0)
  })

  it('makes services of a Compose file and leaves the database with compose', async () => {
    write(
      'compose.yaml',
      'services:\n  web: { image: shop:1, ports: ["8080:3000"] }\n  db: { image: postgres }\n',
    )
    const { code, out } = await run('import', 'compose.yaml', '--name', 'shop')
    expect(code).toBe(0)
    expect(out).toContain('web (0.0.0.0:8080, shop:{{version}})')
    expect(out).toContain('Not mapped: db (line 3). It is a database')
    expect(out).toContain('sluice deploy VERSION --service web')
    expect((await run('validate')).code).toBe(0)
  })

  it('names the folder of the Procfile when the new file stands elsewhere', async () => {
    mkdirSync(path.join(folder, 'my app'))
    write('my app/Procfile', 'web: node server.js')
    const { out } = await run('import', 'my app/Procfile', '--print')
    expect(out).toContain('artifact: "my app"')
    expect(out).toContain('service: my-app')
  })

  it('never overwrites a file', async () => {
    write('Procfile', 'web: node server.js')
    write('sluice.yaml', 'mine')
    const { code, err } = await run('import', 'Procfile')
    expect(code).toBe(13)
    expect(err).toContain('IMPORT_EXISTS')
    expect(readFileSync(path.join(folder, 'sluice.yaml'), 'utf8')).toBe('mine')
    expect((await run('import', 'Procfile', '--out', 'other.yaml')).code).toBe(0)
  })

  it.each([
    ['what is missing', 'Procfile', null, 'Procfile does not exist'],
    ['what it does not know', 'pom.xml', '<project/>', 'pom.xml is no kind of file'],
    ['what is no Compose file', 'compose.yaml', 'kind: Pod\napiVersion: v1\n', 'It is a Kubernetes manifest'],
    ['a binary file', 'Procfile', Buffer.from('web: x\n\0'), 'Procfile:2 holds a zero byte'],
    ['what is no UTF-8', 'Procfile', Buffer.from([0x77, 0xff, 0xfe]), 'Procfile is no UTF-8 text'],
    ['a huge file', 'Procfile', `web: ${'x'.repeat(70_000)}`, 'at most 65536 are read'],
    [
      'two processes with one name',
      'Procfile',
      'web: a\nweb: b',
      'Procfile:2 names the process web, which line 1',
    ],
  ])('refuses %s, and writes nothing', async (_, name, content, message) => {
    if (content !== null) write(name, content)
    const { code, err } = await run('import', name)
    expect(code).not.toBe(0)
    expect(err).toContain(message)
    expect(() => readFileSync(path.join(folder, 'sluice.yaml'))).toThrow()
  })
})
