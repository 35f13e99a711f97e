import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ROOT } from './catalogue.ts'

const MARK = 'mutant'
const sources = new Map<string, { url: string; code: string }>()
const stripped = new Map<string, string>()

/**
 * Mutants are loaded beside the original: each module of the project that is reached from an address with `?mutant=NAME` is
 * loaded a second time under that name, and one of them from the changed source. Nothing is copied, nothing on disk is
 * touched, and packages are shared.
 */
export function installOverlay(): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context)
      const name = mutantOf(context.parentURL)
      if (name === null || !isOurs(resolved.url)) return resolved
      return { ...resolved, url: marked(resolved.url, name), shortCircuit: true }
    },
    load: (url, context, next) => {
      const name = mutantOf(url)
      if (name === null) return next(url, context)
      return { format: 'module', source: codeOf(url, name), shortCircuit: true }
    },
  })
}

/** The address under which the mutant's copy of a module is imported. */
export function mutantUrl(
  module: URL,
  { name, file, source }: { name: string; file: string; source: string },
): string {
  const changed = pathToFileURL(`${ROOT}${sep}${file}`).href
  sources.set(name, { url: changed, code: stripTypeScriptTypes(source) })
  return marked(module.href, name)
}

function codeOf(url: string, name: string): string {
  const plain = url.slice(0, url.indexOf('?'))
  const changed = sources.get(name)
  if (changed?.url === plain) return changed.code
  const known = stripped.get(plain) ?? stripTypeScriptTypes(readFileSync(fileURLToPath(plain), 'utf8'))
  stripped.set(plain, known)
  return known
}

const marked = (url: string, name: string): string => `${url}?${MARK}=${name}`

const mutantOf = (url: string | undefined): string | null =>
  url?.startsWith('file:') === true ? new URL(url).searchParams.get(MARK) : null

const isOurs = (url: string): boolean => url.endsWith('.ts') && !url.includes('/node_modules/')
