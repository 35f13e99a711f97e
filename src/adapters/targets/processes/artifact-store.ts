import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Problem, ProblemError, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { ResolvedArtifact, ResolveRequest } from '../../../ports/target.ts'
import { type ArtifactSource, findArtifact } from './artifact-source.ts'
import {
  compareTrees,
  digestOf,
  inParallel,
  type LeftOut,
  leadsOutside,
  readTree,
  type TreeEntry,
  walk,
} from './tree.ts'
import { unpack } from './unpack.ts'

/** Not part of what runs: history, and our own state if the artifact is the project folder itself. */
const LEFT_OUT: ReadonlySet<string> = new Set(['.git', '.sluice'])
/** Temporary folders of this age belong to nobody any more: no copy takes an hour. */
const STALE_MS = 60 * 60_000
const NAMED_PATHS = 5

/** Read-only copies of artifacts, each kept once under the name of its content: `<folder>/sha256-<hex>/`. */
export type ArtifactStore = {
  resolve(request: ResolveRequest): Promise<Result<ResolvedArtifact>>
  /** Removes all but these; the caller keeps what runs or may be rolled back to. Answers with the digests removed. */
  prune(keep: readonly string[]): Promise<Result<string[]>>
}

export function createArtifactStore(folder: string): ArtifactStore {
  return {
    resolve: (request) => asResult(() => resolve(folder, request)),
    prune: (keep) => asResult(() => prune(folder, keep)),
  }
}

async function resolve(store: string, request: ResolveRequest): Promise<ResolvedArtifact> {
  const found = await findArtifact(request)
  if (found.kind === 'failed') throw new ProblemError(found.problem)
  await mkdir(store, { recursive: true, mode: 0o700 })
  const source = found.value
  if (source.kind !== 'folder') return await resolveStaged(store, source)
  return await resolveFolder(store, source, await leftOut(source.path, request.without ?? []))
}

/** Reads before it copies: bytes that are there already are compared and never written again. */
async function resolveFolder(
  store: string,
  source: ArtifactSource,
  isLeftOut: LeftOut,
): Promise<ResolvedArtifact> {
  const wanted = await readTree(source.path, isLeftOut)
  assertNotEmpty(wanted, source)
  const kept = await findKept(store, wanted)
  if (kept !== null) return kept
  return await staged(store, async (temporary) => {
    await copyTree(source.path, temporary, wanted)
    const copied = await readTree(temporary)
    if (digestOf(copied) !== digestOf(wanted)) throw new ProblemError(changed(source.path, wanted, copied))
    return await keep(store, temporary, copied)
  })
}

/** Files may be named by links, and lie where a link leads: neither the link nor the file is taken. */
async function leftOut(root: string, files: readonly string[]): Promise<LeftOut> {
  const real = await realpath(root)
  const places = files.map(async (file) => {
    const folder = await realpath(dirname(file)).catch(() => dirname(file))
    return [join(folder, basename(file)), await realpath(file).catch(() => file)]
  })
  const paths = new Set((await Promise.all(places)).flat())
  return (path, name) => LEFT_OUT.has(name) || paths.has(join(real, path))
}

async function resolveStaged(store: string, source: ArtifactSource): Promise<ResolvedArtifact> {
  return await staged(store, async (temporary) => {
    await unchanged(source.path, () =>
      source.kind === 'archive'
        ? unpack(source.path, temporary)
        : copyOne(source.path, join(temporary, source.name)),
    )
    const copied = await readTree(temporary)
    assertNotEmpty(copied, source)
    return (await findKept(store, copied)) ?? (await keep(store, temporary, copied))
  })
}

/** Gives the work a folder of its own inside the store, on the same file system, and leaves nothing of it behind. */
async function staged<T>(store: string, work: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = join(store, `.tmp-${randomBytes(6).toString('hex')}`)
  await mkdir(temporary, { mode: 0o755 })
  try {
    return await work(temporary)
  } finally {
    await removeTree(temporary)
  }
}

async function copyTree(from: string, to: string, entries: readonly TreeEntry[]): Promise<void> {
  // Sorted by path, so a folder comes before what is in it.
  for (const entry of entries) if (entry.kind === 'folder') await mkdir(join(to, entry.path))
  await inParallel(entries, async (entry) => {
    if (entry.kind === 'file') await copyOne(join(from, entry.path), join(to, entry.path))
    if (entry.kind === 'link') await symlink(await readlink(join(from, entry.path)), join(to, entry.path))
  })
}

/** Shares the blocks with the original where the file system can (reflink). */
const copyOne = (from: string, to: string): Promise<void> => copyFile(from, to, constants.COPYFILE_FICLONE)

/** For what is read in one go: another size or time afterwards means that it was being written. */
async function unchanged(path: string, work: () => Promise<void>): Promise<void> {
  const before = await stat(path, { bigint: true })
  await work()
  const after = await stat(path, { bigint: true })
  const isSame = before.mtimeNs === after.mtimeNs && before.size === after.size && before.ino === after.ino
  if (!isSame) throw new ProblemError(vanished(path))
}

/** The copy of this content if the store has it, checked byte by byte against what was asked for. */
async function findKept(store: string, wanted: readonly TreeEntry[]): Promise<ResolvedArtifact | null> {
  const digest = digestOf(wanted)
  const folder = folderOf(store, digest)
  if ((await stat(folder).catch(() => null)) === null) return null
  const { damaged, extra } = compareTrees(wanted, await readTree(folder))
  if (damaged.length > 0) throw new ProblemError(corrupt(folder, damaged))
  const note = `${folder} also holds what a running version wrote there: ${some(extra)}`
  return summary(folder, wanted, extra.length > 0 ? [note] : [])
}

/** Makes the copy read-only and durable, then gives it its name. Two who do it at once end with one copy. */
async function keep(
  store: string,
  temporary: string,
  entries: readonly TreeEntry[],
): Promise<ResolvedArtifact> {
  const folder = folderOf(store, digestOf(entries))
  await inParallel(entries, async (entry) => {
    if (entry.kind !== 'file') return
    await chmod(join(temporary, entry.path), entry.executable ? 0o555 : 0o444)
    await sync(join(temporary, entry.path))
  })
  const folders = entries
    .filter((entry) => entry.kind === 'folder')
    .map((entry) => join(temporary, entry.path))
  for (const path of [...folders.reverse(), temporary]) await sync(path)
  try {
    await rename(temporary, folder)
  } catch (error) {
    if ((await stat(folder).catch(() => null)) === null) throw error // else somebody else was quicker
  }
  // Only now: a folder without write permission cannot be renamed by its owner.
  for (const path of entries) if (path.kind === 'folder') await chmod(join(folder, path.path), 0o555)
  await chmod(folder, 0o555)
  await sync(store)
  return summary(folder, entries, [])
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function summary(folder: string, entries: readonly TreeEntry[], notes: string[]): ResolvedArtifact {
  const files = entries.filter((entry) => entry.kind === 'file')
  const links = entries.filter((entry) => entry.kind === 'link' && leadsOutside(entry.path, entry.target))
  const warnings = links.map((entry) =>
    entry.kind === 'link'
      ? `${entry.path} points outside the artifact, to ${entry.target}: what is there is not part of the release`
      : '',
  )
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return { digest: digestOf(entries), folder, bytes, files: files.length, warnings: [...warnings, ...notes] }
}

const folderOf = (store: string, digest: string): string => join(store, digest.replace(':', '-'))

async function prune(store: string, keepDigests: readonly string[]): Promise<string[]> {
  const kept = new Set(keepDigests.map((digest) => digest.replace(':', '-')))
  const names = await readdir(store).catch(() => [])
  const unwanted = names.filter((name) => /^sha256-[0-9a-f]{64}$/.test(name) && !kept.has(name))
  for (const name of unwanted) {
    // Renamed first: half an artifact must never carry the name of a whole one.
    const temporary = join(store, `.tmp-${randomBytes(6).toString('hex')}`)
    await chmod(join(store, name), 0o755)
    await rename(join(store, name), temporary)
    await removeTree(temporary)
  }
  for (const name of names.filter((other) => other.startsWith('.tmp-')))
    await removeIfStale(join(store, name))
  return unwanted.map((name) => name.replace('-', ':'))
}

async function removeIfStale(path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found !== null && Date.now() - found.mtimeMs > STALE_MS) await removeTree(path)
}

/** Folders get their write permission back first; only root could remove from a read-only one. */
async function removeTree(root: string): Promise<void> {
  if ((await stat(root).catch(() => null)) === null) return
  await chmod(root, 0o755)
  for (const path of await walk(root)) {
    const full = join(root, path)
    if ((await lstat(full)).isDirectory()) await chmod(full, 0o755)
  }
  await rm(root, { recursive: true, force: true })
}

function assertNotEmpty(entries: readonly TreeEntry[], source: ArtifactSource): void {
  if (entries.every((entry) => entry.kind === 'folder')) throw new ProblemError(empty(source))
}

/** The edge of the file system: expected failures become values. */
async function asResult<T>(work: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await work())
  } catch (error) {
    if (error instanceof ProblemError) return failed(error.problem)
    return failed(fromSystem(error))
  }
}

function fromSystem(error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const message = error instanceof Error ? error.message : String(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return problem('ARTIFACT_STORE_FULL', {
      message: `there is no space left for the copy of the artifact: ${message}`,
      remedy: 'Free space on the disk that holds the artifact store.',
      retryable: true,
    })
  }
  if (code === 'ENOENT') return vanished(message)
  if (code === '') throw error
  return problem('ARTIFACT_STORE_FAILED', {
    message: `the artifact could not be copied: ${message}`,
    remedy: 'Check the permissions of the artifact and of the artifact store.',
    retryable: true,
  })
}

const changed = (path: string, wanted: readonly TreeEntry[], copied: readonly TreeEntry[]): Problem => {
  const paths = compareTrees(wanted, copied).damaged
  return vanished(`${path}${paths.length > 0 ? ` (${some(paths)})` : ''}`)
}

const vanished = (what: string): Problem =>
  problem('ARTIFACT_CHANGED', {
    message: `the artifact changed while it was copied: ${what}`,
    remedy: 'Wait until the build is done, then try again.',
    retryable: true,
  })

const corrupt = (folder: string, paths: readonly string[]): Problem =>
  problem('ARTIFACT_CORRUPT', {
    message: `the stored copy ${folder} was changed after it was made: ${some(paths)}`,
    remedy: `Make sure that nothing runs from it, remove it (chmod -R u+w, rm -r), and deploy again.`,
  })

const empty = (source: ArtifactSource): Problem =>
  problem('ARTIFACT_EMPTY', {
    message: `${source.path} holds no file`,
    remedy: `Build the service into ${source.kind === 'folder' ? source.path : dirname(source.path)} first.`,
  })

const some = (paths: readonly string[]): string =>
  paths.slice(0, NAMED_PATHS).join(', ') +
  (paths.length > NAMED_PATHS ? ` and ${paths.length - NAMED_PATHS} more` : '')
