import * as z from 'zod'
import { readStartLine } from './command-line.ts'
import { findPlace, type StackFindings, sourcesIn } from './detection.ts'
import type { ProjectFiles } from './project-files.ts'

const PackageJson = z.object({
  name: z.string().catch(''),
  main: z.string().catch(''),
  scripts: z.record(z.string(), z.unknown()).catch({}),
  dependencies: z.record(z.string(), z.unknown()).catch({}),
})
type PackageJson = z.infer<typeof PackageJson>

const FRAMEWORKS = ['next', '@nestjs/core', 'fastify', 'express', 'hono', 'koa'] as const

export function detectNode(files: ProjectFiles): StackFindings | null {
  const manifest = readManifest(files)
  if (manifest === null) return null
  const framework = FRAMEWORKS.find((name) => Object.hasOwn(manifest.dependencies, name))
  const start = startOf(files, manifest, framework)
  if (start === null) return null
  const entry = start.words.find((word) => /\.[cm]?[jt]s$/.test(word))
  const others = sourcesIn(
    files,
    ['.', 'src', 'server', 'app', 'routes', 'src/routes', 'pages/api', 'app/api'],
    /\.[cm]?[jt]sx?$/,
  )
  const sources = [...new Set([...(entry === undefined ? [] : [sourceOf(files, entry)]), ...others])]
  const port = start.takesPort ? null : portOf(files, sources)
  return {
    stack: 'node',
    name: manifest.name,
    command: start.words,
    env: start.env,
    sources,
    findings: [
      start.why,
      ...(framework === undefined ? [] : [`package.json depends on ${framework}.`]),
      ...(port?.finding === undefined ? [] : [port.finding]),
    ],
    toCheck: [...start.toCheck, ...(port?.toCheck === undefined ? [] : [port.toCheck])],
  }
}

function readManifest(files: ProjectFiles): PackageJson | null {
  const text = files.read('package.json')
  if (text === null) return null
  try {
    return PackageJson.parse(JSON.parse(text))
  } catch {
    // A broken package.json describes nothing; npm will say what is wrong with it.
    return null
  }
}

type Start = {
  words: string[]
  env: Record<string, string>
  takesPort: boolean
  why: string
  toCheck: string[]
}

function startOf(files: ProjectFiles, manifest: PackageJson, framework: string | undefined): Start | null {
  const script = manifest.scripts.start
  if (framework === 'next') return nextStart()
  if (framework === '@nestjs/core' && (typeof script !== 'string' || /^nest\b/.test(script)))
    return nestStart()
  if (typeof script === 'string' && script.trim() !== '') return scriptStart(files, script)
  const main = [manifest.main, 'server.js', 'index.js', 'app.js'].find(
    (path) => path !== '' && /\.listen\(|\bserve\(/.test(files.read(path.replace(/^\.\//, '')) ?? ''),
  )
  if (main === undefined) return null
  return { words: ['node', main], env: {}, takesPort: false, why: `${main} opens a port.`, toCheck: [] }
}

const nextStart = (): Start => ({
  words: ['node_modules/.bin/next', 'start', '--port', '{{port}}'],
  env: { NODE_ENV: 'production' },
  takesPort: true,
  why: 'A Next.js application starts with "next start".',
  toCheck: ['Run "next build" before each deployment: Sluice runs what it finds in the folder.'],
})

const nestStart = (): Start => ({
  words: ['node', 'dist/main.js'],
  env: { NODE_ENV: 'production' },
  takesPort: false,
  why: 'A Nest application starts with dist/main.js after its build.',
  toCheck: ['Run "nest build" before each deployment: Sluice runs what it finds in the folder.'],
})

/** The program itself rather than `npm start`, so that it gets the stop signal first. */
function scriptStart(files: ProjectFiles, script: string): Start {
  const why = 'package.json has the script "start".'
  const line = readStartLine(script)
  const program = line?.words[0] ?? ''
  if (line !== null && /^(node|bun|deno)$/.test(program)) return { ...line, why, toCheck: [] }
  if (line !== null && files.exists(`node_modules/.bin/${program}`))
    return { ...line, words: [`node_modules/.bin/${program}`, ...line.words.slice(1)], why, toCheck: [] }
  return {
    words: ['npm', 'start', '--silent'],
    env: {},
    takesPort: false,
    why,
    toCheck: [
      'The script is started through npm. Write the program itself if it does not stop within the grace time.',
    ],
  }
}

/** `dist/server.js` was made from `src/server.ts`: look there. */
function sourceOf(files: ProjectFiles, entry: string): string {
  const path = entry.replace(/^\.\//, '')
  if (files.exists(path)) return path
  return path.replace(/^(dist|build|lib)\//, 'src/').replace(/\.([cm]?)js$/, '.$1ts')
}

function portOf(files: ProjectFiles, sources: readonly string[]): { finding?: string; toCheck?: string } {
  const variable = findPlace(
    files,
    sources,
    /process\.env(?:\.PORT\b|\[["']PORT["']\])|env\.PORT\b|[{,]\s*PORT\b.*process\.env/,
  )
  if (variable !== null) return { finding: `${variable.place} reads the port from the variable PORT.` }
  const fixed = findPlace(files, sources, /\blisten\(\s*(?:\{\s*port:\s*)?(\d{2,5})\b/)
  if (fixed !== null)
    return {
      toCheck: `${fixed.place} always listens on port ${fixed.match[1]}. Read process.env.PORT there: each instance gets a port of its own.`,
    }
  return {
    toCheck:
      'No place was found that reads the variable PORT. See that the service listens on the port given there.',
  }
}
