import type { Source } from './sources.ts'

/** The first chains of imports that lead back to where they began. Types count too: a cycle of types is a cycle of words. */
export function cyclesOf(sources: readonly Source[]): string[] {
  const edges = new Map(sources.map(({ path, imports }) => [path, imports.map(({ target }) => target)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, chain: readonly string[]): void => {
    const before = chain.indexOf(path)
    if (before >= 0) cycles.push([...chain.slice(before), path].join(' -> '))
    if (before >= 0 || done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...chain, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return cycles
}
