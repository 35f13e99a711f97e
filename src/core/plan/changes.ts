import type { Release } from '../release/release.ts'
import type { Change } from './plan.ts'

/** What differs between two releases: artifact, configuration, secret versions. Values of secrets are not here to leak. */
export function changesBetween(from: Release, to: Release): Change[] {
  const before = facts(from)
  const after = facts(to)
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  return paths
    .map((path) => ({ path, from: before.get(path) ?? null, to: after.get(path) ?? null }))
    .filter((change) => change.from !== change.to)
}

function facts(release: Release): Map<string, string> {
  const found = new Map<string, string>([
    ['version', release.version],
    ['artifact', release.artifact.digest],
  ])
  for (const [name, version] of Object.entries(release.secretVersions))
    found.set(`secrets.${name}`, `version ${version}`)
  collect('', release.settings, found)
  return found
}

function collect(path: string, value: unknown, found: Map<string, string>): void {
  if (value === null || typeof value !== 'object') {
    if (path !== '') found.set(path, String(value))
    return
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    found.set(path, value.join(' '))
    return
  }
  for (const [key, inner] of Object.entries(value))
    collect(path === '' ? key : `${path}.${key}`, inner, found)
}
