import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import { ProblemError, problem } from '../../../core/shared/problem.ts'

/** One thing inside an artifact. Owners and times are not part of it: they change without the content changing. */
export type TreeEntry =
  | { kind: 'folder'; path: string }
  | { kind: 'link'; path: string; target: string }
  | { kind: 'file'; path: string; executable: boolean; bytes: number; sha256: string }

/** Files hashed at the same time: enough to keep a disk busy, few enough descriptors for any limit. */
const PARALLEL = 8
/** More than any artifact has that a person released on purpose; a runaway walk ends here. */
const MOST_ENTRIES = 1_000_000

/** Whether this relative path, with all that is below it, is no part of the artifact. */
export type LeftOut = (path: string, name: string) => boolean
const NOTHING: LeftOut = () => false

/**
 * Reads a folder in an order that depends on names alone. File contents are streamed, never held as a whole.
 * Throws `ProblemError` for what cannot be part of an artifact (a socket, a device).
 */
export async function readTree(root: string, isLeftOut: LeftOut = NOTHING): Promise<TreeEntry[]> {
  const found = await walk(root, isLeftOut)
  return inParallel(found, (path) => readEntry(root, path))
}

/** Relative paths of everything below `root`, sorted by bytes. */
export async function walk(root: string, isLeftOut: LeftOut = NOTHING): Promise<string[]> {
  const found: string[] = []
  const pending = ['']
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const item of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? item.name : `${folder}/${item.name}`
      if (isLeftOut(path, item.name)) continue
      if (found.push(path) > MOST_ENTRIES) throw new ProblemError(tooMany(root))
      if (item.isDirectory()) pending.push(path)
    }
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

/** Names the content: the same files with the same execute bits have the same digest, wherever they came from. */
export function digestOf(entries: readonly TreeEntry[]): string {
  const hash = createHash('sha256')
  for (const entry of entries) hash.update(`${JSON.stringify(describe(entry))}\n`)
  return `sha256:${hash.digest('hex')}`
}

/** The paths at which two trees differ: changed or missing on the right side, and additional there. */
export function compareTrees(
  wanted: readonly TreeEntry[],
  found: readonly TreeEntry[],
): { damaged: string[]; extra: string[] } {
  const present = new Map(found.map((entry) => [entry.path, JSON.stringify(describe(entry))]))
  const expected = new Set(wanted.map((entry) => entry.path))
  const isDamaged = (entry: TreeEntry) => present.get(entry.path) !== JSON.stringify(describe(entry))
  return {
    damaged: wanted.filter(isDamaged).map((entry) => entry.path),
    extra: found.filter((entry) => !expected.has(entry.path)).map((entry) => entry.path),
  }
}

/** Whether a link inside the tree leads out of it: what it points to is then not part of the artifact. */
export function leadsOutside(path: string, target: string): boolean {
  if (isAbsolute(target)) return true
  const reached = normalize(join(dirname(path), target))
  return reached === '..' || reached.startsWith('../')
}

/** Runs a task for each item, a few at a time, results in order. Stops at the first failure. */
export async function inParallel<T, R>(items: readonly T[], task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      const item = items[index]
      if (item !== undefined) results[index] = await task(item)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return results
}

async function readEntry(root: string, path: string): Promise<TreeEntry> {
  const full = join(root, path)
  const found = await lstat(full)
  if (found.isDirectory()) return { kind: 'folder', path }
  if (found.isSymbolicLink()) return { kind: 'link', path, target: await readlink(full) }
  if (!found.isFile()) throw new ProblemError(unsupported(full))
  const { bytes, sha256 } = await hashFile(full)
  return { kind: 'file', path, executable: (found.mode & 0o111) !== 0, bytes, sha256 }
}

async function hashFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

function describe(entry: TreeEntry): string[] {
  switch (entry.kind) {
    case 'folder':
      return ['folder', entry.path]
    case 'link':
      return ['link', entry.path, entry.target]
    case 'file':
      return ['file', entry.path, entry.executable ? 'x' : '-', entry.sha256]
  }
}

const unsupported = (path: string) =>
  problem('ARTIFACT_UNSUPPORTED_FILE', {
    message: `${path} is neither a file, a folder nor a symbolic link`,
    remedy: 'Leave sockets, pipes and devices out of the artifact.',
  })

const tooMany = (root: string) =>
  problem('ARTIFACT_TOO_LARGE', {
    message: `${root} holds more than ${MOST_ENTRIES} files`,
    remedy: 'Check that the artifact is the built service and not a whole disk.',
  })
