import type { ProjectFiles } from './project-files.ts'

/** What `sluice init` found out about a project. */
export type Detection = {
  service: string
  stack: 'node' | 'python' | 'go' | 'procfile' | 'command'
  command: string[]
  env: Record<string, string>
  health: {
    path: string
    /** File and line where the path was seen, or `null` when `/` is only a guess. */
    seenAt: string | null
  }
  /** What was detected and why, one sentence each. */
  findings: string[]
  /** What a person has to look at before the first deployment, one sentence each. */
  toCheck: string[]
}

/** The part of a detection that a stack finds out; the rest is the same for all. */
export type StackFindings = Pick<Detection, 'stack' | 'command' | 'env' | 'findings' | 'toCheck'> & {
  /** Name of the service before it is made fit for a name. */
  name: string | null
  /** Files that may hold the routes, the most likely one first. */
  sources: string[]
}

/** Reading more would find no route that the first files do not mention. */
const MAX_SOURCES = 60

/** Readiness first, since that is what the path is for. */
const HEALTH_PATHS = [
  '/readyz',
  '/ready',
  '/up',
  '/healthz',
  '/health',
  '/health/ready',
  '/api/health',
  '/_health',
  '/livez',
  '/status',
  '/ping',
]

/** The health path that the sources mention, with the place. Django writes it without the leading slash. */
export function findHealth(files: ProjectFiles, sources: readonly string[]): Detection['health'] {
  const seen = new Map<string, { path: string; seenAt: string }>()
  for (const file of sources.slice(0, MAX_SOURCES)) {
    const lines = files.read(file)?.split('\n') ?? []
    for (const [index, line] of lines.entries()) {
      if (/^\s*(\/\/|#|\*)/.test(line)) continue
      for (const [, path = ''] of line.matchAll(/["'`](?:GET )?(\/?[a-z_]+(?:\/[a-z]+)?\/?)["'`]/g)) {
        const isDjangoRoute = /\bpath\(/.test(line) && !path.startsWith('/')
        const route = isDjangoRoute ? `/${path}` : path
        const plain = route.replace(/(.)\/$/, '$1')
        if (HEALTH_PATHS.includes(plain) && !seen.has(plain))
          seen.set(plain, { path: route, seenAt: `${file}:${index + 1}` })
      }
    }
  }
  const best = HEALTH_PATHS.find((path) => seen.has(path))
  return (best === undefined ? undefined : seen.get(best)) ?? { path: '/', seenAt: null }
}

/** The first place where a pattern occurs, as `server.js:12`. */
export function findPlace(
  files: ProjectFiles,
  sources: readonly string[],
  pattern: RegExp,
): { place: string; match: RegExpExecArray } | null {
  for (const file of sources.slice(0, MAX_SOURCES)) {
    for (const [index, line] of (files.read(file)?.split('\n') ?? []).entries()) {
      const match = pattern.exec(line)
      if (match !== null) return { place: `${file}:${index + 1}`, match }
    }
  }
  return null
}

/** Source files in a few usual folders, not deeper. */
export function sourcesIn(files: ProjectFiles, folders: readonly string[], ending: RegExp): string[] {
  return folders.flatMap((folder) =>
    files
      .list(folder)
      .filter((name) => ending.test(name) && !/\.(test|spec)\.|\.d\.ts$|_test\./.test(name))
      .map((name) => (folder === '.' ? name : `${folder}/${name}`)),
  )
}

/** `@acme/Shop_API` -> `shop-api`; `app` when nothing is left. */
export function serviceName(candidates: readonly (string | null)[]): string {
  for (const candidate of candidates) {
    const name = (candidate ?? '')
      .replace(/^@[^/]*\//, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^[^a-z]+/, '')
      .slice(0, 63)
      .replace(/-+$/, '')
    if (name !== '') return name
  }
  return 'app'
}

/** PORT and SLUICE_VERSION are set for every instance; a placeholder of ours has no place in a value from elsewhere. */
export const fitVariables = (env: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => !['PORT', 'SLUICE_VERSION'].includes(name) && !/\{\{(?!port\}\})/.test(value),
    ),
  )
