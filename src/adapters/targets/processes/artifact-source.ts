import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, sep } from 'node:path'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { ResolveRequest } from '../../../ports/target.ts'

/** What the artifact of a version is on disk. */
export type ArtifactSource = { kind: 'folder' | 'archive' | 'file'; path: string; name: string }

const PLACEHOLDER = '{{version}}'
/** So many of the versions that do exist are named; a long list would hide the sentence before it. */
const NAMED_VERSIONS = 8

/** Finds the artifact of a version; when it is missing, says which versions are there. */
export async function findArtifact({ artifact, version }: ResolveRequest): Promise<Result<ArtifactSource>> {
  if (!isAbsolute(artifact)) return failed(relativePath(artifact))
  if (!isSafeVersion(version)) return failed(unsafeVersion(version))
  const path = artifact.replaceAll(PLACEHOLDER, version)
  const found = await stat(path).catch(() => null)
  if (found === null) return failed(notFound(path, version, await versionsBeside(artifact)))
  if (found.isDirectory()) return ok({ kind: 'folder', path, name: basename(path) })
  if (!found.isFile()) return failed(unusable(path))
  return ok({ kind: /\.(tar|tar\.gz|tgz)$/.test(path) ? 'archive' : 'file', path, name: basename(path) })
}

/** A version becomes part of a path: it must not lead elsewhere. */
const isSafeVersion = (version: string): boolean =>
  version !== '' && version !== '.' && version !== '..' && !/[/\\\0]/.test(version)

/** The versions for which the pattern finds something, newest first as people count (`1.10.0` after `1.9.0`). */
async function versionsBeside(pattern: string): Promise<string[]> {
  const segments = pattern.split(sep)
  const at = segments.findIndex((segment) => segment.includes(PLACEHOLDER))
  const segment = segments[at]
  if (segment === undefined) return []
  const [before = '', after = ''] = segment.split(PLACEHOLDER)
  const names = await readdir(segments.slice(0, at).join(sep) || sep).catch(() => [])
  const fits = (name: string) =>
    name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
  const versions = names.filter(fits).map((name) => name.slice(before.length, name.length - after.length))
  const exists = await Promise.all(
    versions.map((version) => stat(pattern.replaceAll(PLACEHOLDER, version)).catch(() => null)),
  )
  return versions
    .filter((_, index) => exists[index] !== null)
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
}

function notFound(path: string, version: string, versions: readonly string[]): Problem {
  const named = versions.slice(0, NAMED_VERSIONS).join(', ')
  const more = versions.length > NAMED_VERSIONS ? ` and ${versions.length - NAMED_VERSIONS} more` : ''
  const there = versions.length === 0 ? 'no other version is there either' : `there are: ${named}${more}`
  return problem('ARTIFACT_NOT_FOUND', {
    message: `version ${version} has no artifact: ${path} does not exist; ${there}`,
    remedy: `Build it into ${join(dirname(path), '')}, or deploy a version that exists.`,
  })
}

const relativePath = (artifact: string): Problem =>
  problem('ARTIFACT_PATH_RELATIVE', {
    message: `the artifact path ${artifact} is not absolute`,
    remedy: 'Give an absolute path; in sluice.yaml a relative one is taken from the folder of the file.',
  })

const unsafeVersion = (version: string): Problem =>
  problem('ARTIFACT_VERSION_UNSAFE', {
    message: `the version ${JSON.stringify(version)} cannot be part of a path`,
    remedy: 'Use a version without slashes.',
  })

const unusable = (path: string): Problem =>
  problem('ARTIFACT_UNSUPPORTED_FILE', {
    message: `${path} is neither a file nor a folder`,
    remedy: 'Give a folder, a .tar, .tar.gz or .tgz archive, or a single file.',
  })
