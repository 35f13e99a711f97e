import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../src/testkit/free-port.ts'
import { floorVersion, installFloorNode } from './floor-node.ts'

// The package as a stranger gets it: packed, installed in an empty folder elsewhere, and run from there.

const root = fileURLToPath(new URL('../..', import.meta.url))
const INSTALL_TIMEOUT_MS = 150_000
const COMMAND_TIMEOUT_MS = 120_000
const EXECUTABLE = 0o111
const ownVersion: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version

/** What somebody writes who wants the analysis alone. */
const ANALYST = `import { addBatch, Metric, newState, verdictOf } from 'sluice/analysis'
const errors = Metric.parse({ name: 'errors', kind: 'ratio' })
const batch = { candidate: { bad: 30, total: 1000 }, stable: { bad: 1, total: 1000 } }
console.log(verdictOf(errors, addBatch(errors, newState(), batch), 0.01).verdict)
`

const SERVER = `import { createServer } from 'node:http'
createServer((_, answer) => answer.end(process.version)).listen(process.env.PORT)
`

/** Our Node first, and nothing of the clone: `npx` must not find the development entry. */
const searchPath = [
  dirname(process.execPath),
  ...(process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules')),
].join(delimiter)
const env = { ...process.env, PATH: searchPath, NO_COLOR: '1', CI: '1' }

function run(cwd: string, command: string, words: readonly string[], timeout = COMMAND_TIMEOUT_MS) {
  return runWith(env, { cwd, command, words, timeout })
}

type Run = { cwd: string; command: string; words: readonly string[]; timeout: number }

function runWith(variables: NodeJS.ProcessEnv, { cwd, command, words, timeout }: Run) {
  const { status, stdout, stderr } = spawnSync(command, [...words], {
    cwd,
    env: variables,
    encoding: 'utf8',
    timeout,
  })
  return { status, stdout, stderr }
}

/** A small service that somebody has, before there is anything of Sluice in its folder. */
function writeService(folder: string): void {
  mkdirSync(folder)
  const scripts = { start: 'node server.js' }
  const manifest = { name: 'hello', version: '1.0.0', type: 'module', scripts }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'server.js'), SERVER)
}

/** A Node below the floor, if this system has one. */
function oldNode(): string | null {
  const candidates = [...searchPath.split(delimiter), '/usr/bin', '/usr/local/bin'].map((one) =>
    join(one, 'node'),
  )
  return candidates.filter((file) => existsSync(file)).find(isOld) ?? null
}

function isOld(file: string): boolean {
  const [major = 0, minor = 0] = execFileSync(file, ['--version'], { encoding: 'utf8' })
    .slice(1)
    .split('.')
    .map(Number)
  return major < 22 || (major === 22 && minor < 19)
}

describe('the package', () => {
  let scratch: string
  let project: string
  let files: string[]

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'sluice-package-'))
    project = join(scratch, 'hello')
    const built = run(root, process.execPath, ['scripts/build.ts'], INSTALL_TIMEOUT_MS)
    expect(built.status, built.stderr).toBe(0)
    const packed = run(root, 'npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch])
    expect(packed.status, packed.stderr).toBe(0)
    const [made] = JSON.parse(packed.stdout)
    files = made.files.map(({ path }: { path: string }) => path)
    writeService(project)
    const words = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
    const installed = run(project, 'npm', [...words, join(scratch, made.filename)], INSTALL_TIMEOUT_MS)
    expect(installed.status, installed.stderr).toBe(0)
  }, 2 * INSTALL_TIMEOUT_MS)

  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  it('holds the program, the page, the schema, the licence, and no test', () => {
    for (const file of ['dist/main.js', 'web/dist/index.html', 'schema/sluice.schema.json', 'LICENSE'])
      expect(files).toContain(file)
    expect(
      files.filter((file) => /\.test\.|fixture|tsbuildinfo|\.map$|^(src|test|docs|bench)\//.test(file)),
    ).toEqual([])
    expect(files.length).toBeGreaterThan(100)
  })

  it('runs after an install elsewhere', () => {
    expect(statSync(join(project, 'node_modules/sluice/dist/main.js')).mode & EXECUTABLE).toBe(EXECUTABLE)
    const { status, stdout } = run(project, 'npx', ['--no-install', 'sluice', '--version'])
    expect(status).toBe(0)
    expect(stdout.trim()).toBe(ownVersion)
  })

  it('writes a first file for a small project, and finds it valid', () => {
    const init = run(project, 'npx', ['--no-install', 'sluice', 'init'])
    expect(init.status, init.stdout + init.stderr).toBe(0)
    expect(readFileSync(join(project, 'sluice.yaml'), 'utf8')).toContain('service: hello')
    const validate = run(project, 'npx', ['--no-install', 'sluice', 'validate'])
    expect(validate.status, validate.stdout + validate.stderr).toBe(0)
  })

  it('names the schema in the file so that an editor in the project finds it', () => {
    const [, schema = ''] = /\$schema=(\S+)/.exec(readFileSync(join(project, 'sluice.yaml'), 'utf8')) ?? []
    expect(existsSync(join(project, schema)), `the first line names "${schema}"`).toBe(true)
  })

  it('gives its analysis to others, alone', () => {
    const file = join(project, 'analyst.mjs')
    writeFileSync(file, ANALYST)
    const { status, stdout, stderr } = run(project, process.execPath, [file])
    expect(status, stderr).toBe(0)
    expect(stdout.trim()).toBe('worse')
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/analysis.d.ts',
        'schema/judge-input.schema.json',
        'schema/judge-output.schema.json',
      ]),
    )
  })

  it('tells an old Node what is needed, and exits with 2', ({ skip }) => {
    const node = oldNode()
    if (node === null) return skip('no Node older than 22.19 on this system')
    const old = run(project, node, ['node_modules/sluice/dist/main.js', 'validate'])
    expect(old.status).toBe(2)
    expect(old.stderr).toContain('Sluice needs Node 22.19 or newer, this is ')
    expect(old.stderr).not.toMatch(/\n\s+at /)
  })

  it('runs a release from init to down on the oldest Node that package.json names', async ({ skip }) => {
    const node = installFloorNode(
      (cwd, words) => run(cwd, 'npm', words, INSTALL_TIMEOUT_MS),
      join(scratch, 'node'),
    )
    if (node.kind === 'missing') return skip(node.why)
    const folder = join(scratch, 'elsewhere')
    writeService(folder)
    const program = join(project, 'node_modules/sluice/dist/main.js')
    const variables = { ...env, PATH: [node.folder, searchPath].join(delimiter) }
    const sluice = (...words: string[]) => {
      const done = runWith(variables, {
        cwd: folder,
        command: join(node.folder, 'node'),
        words: [program, ...words],
        timeout: COMMAND_TIMEOUT_MS,
      })
      expect(done.stderr, words.join(' ')).not.toMatch(/Warning|\n\s+at /)
      return done
    }
    const expectGood = (...words: string[]) => {
      const { status, stdout, stderr } = sluice(...words)
      expect(status, `${words.join(' ')}: ${stdout}${stderr}`).toBe(0)
      return stdout
    }
    expectGood('init')
    const port = await freePort()
    const file = join(folder, 'sluice.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('127.0.0.1:8080', `127.0.0.1:${port}`))
    try {
      expectGood('validate')
      expect(expectGood('up')).toContain('The controller is up.')
      expect(expectGood('deploy', '1.0.0', '--yes')).toContain('promoted')
      expect(expectGood('status')).toContain('2 of 2 ready')
      expect(expectGood('doctor')).toContain(`Node ${floorVersion()} is new enough`)
      // The service runs on it, too, and the parts between it and us.
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe(`v${floorVersion()}`)
    } finally {
      expectGood('down', '--yes')
    }
  })
})
