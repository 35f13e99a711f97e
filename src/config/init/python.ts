import { findPlace, type StackFindings, sourcesIn } from './detection.ts'
import type { ProjectFiles } from './project-files.ts'

type Start = { words: string[]; findings: string[]; toCheck: string[] }
type Packages = { has(name: string): boolean }

export function detectPython(files: ProjectFiles): StackFindings | null {
  const declared = [
    'pyproject.toml',
    'requirements.txt',
    'requirements/base.txt',
    'Pipfile',
    'setup.py',
  ].filter((path) => files.exists(path))
  const isDjango = files.exists('manage.py')
  if (declared.length === 0 && !isDjango) return null
  const text = declared.map((path) => files.read(path) ?? '').join('\n')
  const packages = {
    has: (name: string) => new RegExp(`(^|[\\s"'\\[,])${name}([\\s"'\\]=<>~!;,\\[]|$)`, 'im').test(text),
  }
  const python = files.exists('.venv/bin/python')
    ? '.venv/bin/python'
    : files.exists('venv/bin/python')
      ? 'venv/bin/python'
      : 'python3'
  const start = isDjango ? djangoStart(files, packages, python) : appStart(files, packages, python)
  if (start === null) return null
  return {
    stack: 'python',
    name: /^name\s*=\s*"([^"]+)"/m.exec(files.read('pyproject.toml') ?? '')?.[1] ?? null,
    command: start.words,
    env: { PYTHONUNBUFFERED: '1' },
    sources: [...pythonSources(files), ...djangoRoutes(files)],
    findings: [
      ...(python === 'python3' ? [] : [`${python} is the interpreter of the project.`]),
      ...start.findings,
    ],
    toCheck: start.toCheck,
  }
}

const pythonSources = (files: ProjectFiles): string[] =>
  sourcesIn(files, ['.', 'app', 'src', 'api', 'app/api', 'app/routers', 'routers'], /\.py$/)

/** Django keeps its routes in `urls.py`, one per package. */
const djangoRoutes = (files: ProjectFiles): string[] =>
  files.exists('manage.py')
    ? files
        .list('.')
        .map((folder) => `${folder}/urls.py`)
        .filter((path) => files.exists(path))
    : []

const DEV_SERVER =
  'This is a development server. Add gunicorn or uvicorn to the requirements and use it here.'

function appStart(files: ProjectFiles, packages: Packages, python: string): Start | null {
  const found = findPlace(
    files,
    pythonSources(files),
    /^(\w+)(?::\s*\w+)?\s*=\s*(?:\w+\.)?(FastAPI|Starlette|Litestar|Flask|Quart)\(/,
  )
  const factory = found === null ? findPlace(files, pythonSources(files), /^def (create_app)\(/) : null
  const place = found ?? factory
  if (place === null) return null
  const [file = ''] = place.place.split(':')
  const module = file
    .replace(/\.py$/, '')
    .replace(/\/__init__$/, '')
    .replaceAll('/', '.')
  const name = place.match[1] ?? 'app'
  const isAsgi = found === null ? packages.has('fastapi') : !/Flask/.test(found.match[2] ?? '')
  const findings = [
    factory === null
      ? `${place.place} makes the ${found?.match[2]} application ${name}.`
      : `${place.place} makes the application in ${name}().`,
  ]
  const target = `${module}:${name}`
  if (isAsgi) {
    const words = [
      python,
      '-m',
      'uvicorn',
      target,
      ...(factory === null ? [] : ['--factory']),
      '--host',
      '127.0.0.1',
      '--port',
      '{{port}}',
    ]
    return {
      words,
      findings,
      toCheck: packages.has('uvicorn') || packages.has('fastapi') ? [] : ['See that uvicorn is installed.'],
    }
  }
  if (packages.has('gunicorn'))
    return {
      words: [
        python,
        '-m',
        'gunicorn',
        factory === null ? target : `${target}()`,
        '--bind',
        '127.0.0.1:{{port}}',
      ],
      findings: [...findings, 'The requirements name gunicorn.'],
      toCheck: [],
    }
  return {
    words: [python, '-m', 'flask', '--app', target, 'run', '--host', '127.0.0.1', '--port', '{{port}}'],
    findings,
    toCheck: [DEV_SERVER],
  }
}

function djangoStart(files: ProjectFiles, packages: Packages, python: string): Start {
  const settings = /["']DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']/.exec(
    files.read('manage.py') ?? '',
  )?.[1]
  const project = settings?.split('.')[0] ?? null
  const findings = [
    'manage.py belongs to a Django project.',
    ...(project === null ? [] : [`Its settings are in ${project}.`]),
  ]
  if (project !== null && packages.has('gunicorn'))
    return {
      words: [python, '-m', 'gunicorn', `${project}.wsgi`, '--bind', '127.0.0.1:{{port}}'],
      findings: [...findings, 'The requirements name gunicorn.'],
      toCheck: [],
    }
  if (project !== null && packages.has('uvicorn'))
    return {
      words: [
        python,
        '-m',
        'uvicorn',
        `${project}.asgi:application`,
        '--host',
        '127.0.0.1',
        '--port',
        '{{port}}',
      ],
      findings: [...findings, 'The requirements name uvicorn.'],
      toCheck: [],
    }
  return {
    words: [python, 'manage.py', 'runserver', '--noreload', '127.0.0.1:{{port}}'],
    findings,
    toCheck: [DEV_SERVER],
  }
}
