import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'

/** The page has about ten files; more means that the folder is not the page. */
const MAX_FILES = 500

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
}

export type PageFile = { body: Uint8Array<ArrayBuffer>; type: string; etag: string }

/** The files of the page by URL path (`/assets/x.js`), or `null` when it was not built. */
export type PageFiles = () => Promise<ReadonlyMap<string, PageFile> | null>

/** Keeps the files in memory, so that no path of a request ever reaches the disk; reads anew after a build. */
export function createPageFiles(folder: string): PageFiles {
  let known: { builtAt: number; files: ReadonlyMap<string, PageFile> } | null = null
  return async () => {
    const builtAt = await stat(join(folder, 'index.html')).then(
      (index) => index.mtimeMs,
      () => null,
    )
    if (builtAt === null) return null
    if (known?.builtAt !== builtAt) known = { builtAt, files: await readFolder(folder) }
    return known.files
  }
}

async function readFolder(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  if (paths.length > MAX_FILES) throw new Error(`${folder} holds ${paths.length} files; is it the page?`)
  const files = new Map<string, PageFile>()
  for (const path of paths) {
    const body = new Uint8Array(await readFile(path))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    const type = TYPES[extname(path)] ?? 'application/octet-stream'
    files.set(`/${relative(folder, path).split(sep).join('/')}`, { body, type, etag })
  }
  return files
}
