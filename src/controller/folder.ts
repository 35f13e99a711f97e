import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'

/** The kernel cuts unix socket paths at 108 bytes, the closing zero included. */
const SOCKET_PATH_LIMIT = 107

/** Where everything of one state folder lives. */
export type Folder = {
  root: string
  state: string
  runtime: string
  artifacts: string
  proxy: string
  agent: string
  sockets: { controller: string; proxy: string; agent: string }
}

/** Makes the folder, for its owner only, and knows its places. */
export function openFolder(root: string): Folder {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  chmodSync(root, 0o700)
  const sockets = socketFolder(root)
  return {
    root,
    state: path.join(root, 'state.db'),
    runtime: path.join(root, 'runtime.json'),
    artifacts: path.join(root, 'artifacts'),
    proxy: path.join(root, 'proxy'),
    agent: path.join(root, 'agent'),
    sockets: {
      controller: path.join(sockets, 'controller.sock'),
      proxy: path.join(sockets, 'proxy.sock'),
      agent: path.join(sockets, 'agent.sock'),
    },
  }
}

/** The folder itself, or for a path too long for the kernel a private folder of the same owner in the temporary one. */
function socketFolder(root: string): string {
  const folder = socketFolderOf(root)
  if (folder === root) return root
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(folder)
  if (uid !== userInfo().uid || (mode & 0o077) !== 0)
    throw new Error(`${folder} is not private: remove it and start again`)
  return folder
}

/** Where the sockets of a state folder are, without making anything. */
export function socketFolderOf(root: string): string {
  if (Buffer.byteLength(path.join(root, 'controller.sock')) <= SOCKET_PATH_LIMIT) return root
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16)
  return path.join(tmpdir(), `sluice-${userInfo().uid}-${name}`)
}

/** A random secret kept in a file for its owner only; made on first use. */
export function keptSecret(root: string, name: string): string {
  const file = path.join(root, name)
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const secret = randomBytes(32).toString('hex')
  replaceFile(file, `${secret}\n`)
  return secret
}

/** Replaces a small private file at once: readers see the old or the new one, never half of it. */
export function replaceFile(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.new`
  writeFileSync(temporary, content, { mode: 0o600 })
  renameSync(temporary, file)
}

/** The pid in a pid file, or `null`. */
export function readPid(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : null
  } catch {
    return null
  }
}
