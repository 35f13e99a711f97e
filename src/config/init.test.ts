import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readStartLine } from './init/command-line.ts'
import { serviceName } from './init/detection.ts'
import { type ProjectFiles, projectFilesIn, writeNewConfig } from './init/project-files.ts'
import { renderConfig } from './init/render.ts'
import { detectProject, type InitAnswers } from './init.ts'
import { loadConfig } from './load.ts'

/** A project as a table of paths and texts. */
function project(contents: Record<string, string>, folderName = 'My Shop'): ProjectFiles {
  const paths = Object.keys(contents)
  const below = (folder: string) => (folder === '.' ? '' : `${folder}/`)
  return {
    folderName,
    exists: (path) => paths.some((one) => one === path || one.startsWith(`${path}/`)),
    read: (path) => contents[path] ?? null,
    list: (folder) => [
      ...new Set(
        paths
          .filter((path) => path.startsWith(below(folder)))
          .map((path) => path.slice(below(folder).length).split('/')[0] ?? ''),
      ),
    ],
  }
}

/** Detects, renders and loads: the file must be right unedited. */
function initialized(files: ProjectFiles, answers: InitAnswers = {}) {
  const detection = detectProject(files, answers)
  if (detection.kind === 'failed') throw new Error(detection.problem.message)
  const text = renderConfig(detection.value)
  const loaded = loadConfig({ file: '/p/sluice.yaml', text })
  if (loaded.kind === 'failed')
    throw new Error(`${loaded.problem.map((one) => one.message).join('\n')}\n${text}`)
  const [settings] = loaded.value.services
  if (settings === undefined) throw new Error('no service')
  expect(settings.run.command).toEqual(detection.value.command)
  expect(settings.run.env).toEqual(detection.value.env)
  expect(settings.health).toMatchObject({ path: detection.value.health.path })
  expect(text.split('\n')[0]).toBe(
    '# yaml-language-server: $schema=./node_modules/sluice/schema/sluice.schema.json',
  )
  return { settings, text, detection: detection.value }
}

const manifest = (fields: object): string => JSON.stringify(fields)

describe('Node', () => {
  test('an Express service with a start script, PORT and /healthz', () => {
    const { settings, detection } = initialized(
      project({
        'package.json': manifest({
          name: '@acme/Shop_API',
          scripts: { start: 'NODE_ENV=production node server.js' },
          dependencies: { express: '5' },
        }),
        'server.js':
          "const app = express()\n// '/ready' comes later\napp.get('/healthz', ok)\napp.listen(process.env.PORT)\n",
      }),
    )
    expect(settings).toMatchObject({
      service: 'shop-api',
      run: { command: ['node', 'server.js'], env: { NODE_ENV: 'production' }, replicas: 2 },
      health: { path: '/healthz' },
    })
    expect(detection.findings).toEqual([
      'package.json has the script "start".',
      'package.json depends on express.',
      'server.js:4 reads the port from the variable PORT.',
      'server.js:3 serves /healthz.',
    ])
    expect(detection.toCheck).toEqual([])
  })

  test('a TypeScript build is looked up in its source, and a fixed port is pointed out', () => {
    const { detection } = initialized(
      project({
        'package.json': manifest({
          name: 'shop',
          scripts: { start: 'node dist/server.js' },
          dependencies: { fastify: '5' },
        }),
        'src/server.ts': "app.get('/up', ok)\nawait app.listen({ port: 3000 })\n",
      }),
    )
    expect(detection.health).toEqual({ path: '/up', seenAt: 'src/server.ts:1' })
    expect(detection.toCheck.join()).toContain('src/server.ts:2 always listens on port 3000')
  })

  test('a port flag with a number becomes {{port}}', () => {
    const { settings } = initialized(
      project({
        'package.json': manifest({ scripts: { start: 'node server.js --port 3000 --name "a b"' } }),
        'server.js': '',
      }),
    )
    expect(settings.run.command).toEqual(['node', 'server.js', '--port', '{{port}}', '--name', 'a b'])
    expect(settings.service).toBe('my-shop')
  })

  test.each([
    [{ dependencies: { next: '16' } }, ['node_modules/.bin/next', 'start', '--port', '{{port}}']],
    [{ scripts: { start: 'nest start' }, dependencies: { '@nestjs/core': '11' } }, ['node', 'dist/main.js']],
    [{ scripts: { start: 'npm run build && node x.js' } }, ['npm', 'start', '--silent']],
    [{ scripts: { start: 'tsx src/main.ts' } }, ['node_modules/.bin/tsx', 'src/main.ts']],
    [{ scripts: { start: 'serve {{dir}}' } }, ['npm', 'start', '--silent']],
    [{ main: 'lib/app.js' }, ['node', 'lib/app.js']],
  ])('%j starts with %j', (fields, command) => {
    const files = project({
      'package.json': manifest(fields),
      'node_modules/.bin/tsx': '',
      'lib/app.js': 'app.listen(process.env.PORT)',
    })
    expect(initialized(files).settings.run.command).toEqual(command)
  })

  test('a health path that is not found is / with a comment', () => {
    const { settings, text } = initialized(
      project({ 'package.json': manifest({ scripts: { start: 'node x.js' } }), 'x.js': '' }),
    )
    expect(settings.health).toMatchObject({ path: '/' })
    expect(text).toContain('# No health path was found.')
    expect(text).toContain('# To check: No place was found that reads the variable PORT.')
  })
})

describe('Python', () => {
  test.each<[string, Record<string, string>, string[], string]>([
    [
      'FastAPI',
      {
        'requirements.txt': 'fastapi==0.120\nuvicorn[standard]',
        'app/main.py': 'api = FastAPI()\n@api.get("/health")\n',
      },
      ['python3', '-m', 'uvicorn', 'app.main:api', '--host', '127.0.0.1', '--port', '{{port}}'],
      '/health',
    ],
    [
      'Flask with gunicorn',
      {
        'pyproject.toml': '[project]\nname = "shop"\ndependencies = ["flask", "gunicorn>=23"]',
        'app.py': "app = Flask(__name__)\n@app.route('/ready')\n",
        '.venv/bin/python': '',
      },
      ['.venv/bin/python', '-m', 'gunicorn', 'app:app', '--bind', '127.0.0.1:{{port}}'],
      '/ready',
    ],
    [
      'Flask alone',
      { 'requirements.txt': 'Flask', 'app.py': 'app = flask.Flask(__name__)' },
      ['python3', '-m', 'flask', '--app', 'app:app', 'run', '--host', '127.0.0.1', '--port', '{{port}}'],
      '/',
    ],
    [
      'a factory',
      { 'requirements.txt': 'flask\ngunicorn', 'shop.py': 'def create_app():\n  pass' },
      ['python3', '-m', 'gunicorn', 'shop:create_app()', '--bind', '127.0.0.1:{{port}}'],
      '/',
    ],
    [
      'Django',
      {
        'requirements.txt': 'Django\ngunicorn',
        'manage.py': 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")',
        'site1/urls.py': 'path("healthz/", ok)',
      },
      ['python3', '-m', 'gunicorn', 'site1.wsgi', '--bind', '127.0.0.1:{{port}}'],
      '/healthz/',
    ],
    [
      'Django without a server',
      { 'manage.py': '' },
      ['python3', 'manage.py', 'runserver', '--noreload', '127.0.0.1:{{port}}'],
      '/',
    ],
  ])('%s', (_name, contents, command, health) => {
    const { settings } = initialized(project(contents))
    expect(settings.run.command).toEqual(command)
    expect(settings.health).toMatchObject({ path: health })
  })
})

describe('Go', () => {
  test.each<[string, Record<string, string>, string[]]>([
    [
      'a flag for the port',
      { 'main.go': 'var p = flag.Int("port", 80, "")\nmux.HandleFunc("GET /up", up)', shop: '' },
      ['./shop', '--port', '{{port}}'],
    ],
    [
      'a flag for the address',
      { 'cmd/api/main.go': 'flag.String("addr", ":80", "")', 'bin/api': '' },
      ['./bin/api', '--addr', '127.0.0.1:{{port}}'],
    ],
    ['the variable PORT', { 'main.go': 'os.Getenv("PORT")' }, ['./shop']],
  ])('with %s', (_name, contents, command) => {
    const { settings, detection } = initialized(
      project({ 'go.mod': 'module example.com/acme/shop/v2\n', ...contents }),
    )
    expect(settings.run.command).toEqual(command)
    expect(settings.service).toBe('shop')
    if (command.length === 1)
      expect(detection.toCheck).toContain('Build the program before each deployment: go build -o shop .')
  })
})

describe('Procfile', () => {
  test('comes first and turns $PORT into {{port}}', () => {
    const files = project({
      Procfile: 'worker: x\nweb: gunicorn shop:app --bind 0.0.0.0:$PORT\n',
      'package.json': manifest({ scripts: { start: 'node x.js' } }),
    })
    expect(initialized(files).settings.run.command).toEqual([
      'gunicorn',
      'shop:app',
      '--bind',
      '0.0.0.0:{{port}}',
    ])
  })

  test('keeps a line that needs a shell', () => {
    const { settings, detection } = initialized(
      project({ Procfile: 'web: ./migrate && exec ./shop -p $PORT' }),
    )
    expect(settings.run.command).toEqual(['sh', '-c', './migrate && exec ./shop -p $PORT'])
    expect(detection.toCheck[0]).toContain('exec')
  })
})

test('what the person says comes before what the files say', () => {
  const files = project({ 'package.json': manifest({ scripts: { start: 'node x.js' } }) })
  const { settings } = initialized(files, { command: 'python3 server.py', portEnv: 'HTTP_PORT' })
  expect(settings.run).toMatchObject({ command: ['python3', 'server.py'], env: { HTTP_PORT: '{{port}}' } })
})

test.each<[string, Record<string, string>, InitAnswers, string]>([
  ['INIT_NOTHING_FOUND', { 'README.md': '' }, {}, 'sluice init --command'],
  ['INIT_NOTHING_FOUND', { 'package.json': '{ broken' }, {}, '--port-env PORT'],
  ['INIT_EXISTS', { 'sluice.yaml': '' }, {}, 'move it away'],
  ['INIT_BAD_COMMAND', {}, { command: 'a | b' }, 'sh, -c'],
  ['INIT_BAD_VARIABLE', {}, { command: 'a', portEnv: 'MY PORT' }, 'HTTP_PORT'],
])('%s', (code, contents, answers, remedy) => {
  expect(detectProject(project(contents), answers)).toMatchObject({
    kind: 'failed',
    problem: { code, remedy: expect.stringContaining(remedy) },
  })
})

test('a file that exists is never written over', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-init-'))
  try {
    writeFileSync(join(folder, 'Procfile'), 'web: ./shop\n')
    expect(detectProject(projectFilesIn(folder))).toMatchObject({
      kind: 'ok',
      value: { command: ['./shop'] },
    })
    expect(writeNewConfig(folder, 'first')).toEqual({ kind: 'ok', value: join(folder, 'sluice.yaml') })
    expect(writeNewConfig(folder, 'second')).toMatchObject({
      kind: 'failed',
      problem: { code: 'INIT_EXISTS' },
    })
    expect(detectProject(projectFilesIn(folder))).toMatchObject({ problem: { code: 'INIT_EXISTS' } })
    expect(readFileSync(join(folder, 'sluice.yaml'), 'utf8')).toBe('first')
    expect(writeNewConfig(join(folder, 'missing'), 'x')).toMatchObject({
      kind: 'failed',
      problem: { code: 'INIT_NOT_WRITTEN' },
    })
    expect(projectFilesIn(folder).list('missing')).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('names are made fit', () => {
  expect(serviceName(['@acme/Shop_API'])).toBe('shop-api')
  expect(serviceName(['', null, '42-Días!'])).toBe('d-as')
  expect(serviceName(['???'])).toBe('app')
  expect(serviceName(['a'.repeat(100)])).toHaveLength(63)
})

test('start lines lose what only a shell needs', () => {
  expect(readStartLine('cross-env A=1 PORT=3000 exec node x.js --port=3000')).toEqual({
    words: ['node', 'x.js', '--port={{port}}'],
    env: { A: '1' },
    takesPort: true,
  })
  expect(readStartLine('node x.js "$PORT"')).toEqual({
    words: ['node', 'x.js', '{{port}}'],
    env: {},
    takesPort: true,
  })
  expect(readStartLine('a | b')).toBeNull()
  expect(readStartLine('A=1')).toBeNull()
})

test('whatever stands in the files, the new file loads or nothing is found', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom(
      'node x.js # c',
      "node 'a: b' [x]",
      'A="b c" ./x --port 80',
      '"" x',
      '{a: b}',
      '&a *b',
      'x: y',
      '- x',
      'node "a\nb"',
      './x {{port}} $PORT',
    ),
  )
  return fc.assert(
    fc.property(text, text, fc.boolean(), (line, name, asProcfile) => {
      const files = asProcfile
        ? project({ Procfile: `web: ${line}` }, name)
        : project({ 'package.json': manifest({ name, scripts: { start: line } }) })
      if (detectProject(files).kind === 'ok') initialized(files)
    }),
    { numRuns: 300 },
  )
})
