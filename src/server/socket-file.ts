import { lstat, mkdir, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { type Problem, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'

/** `sun_path` holds 108 bytes with the closing zero. */
const MAX_SOCKET_PATH_BYTES = 107
/** A live controller accepts at once; one that is stopped still holds the socket, so silence counts as taken. */
const PROBE_MS = 2000

/**
 * Makes the place for a socket: the folder is ours alone, so nobody can reach the socket between `bind` and `chmod`,
 * and a file left by a dead process is removed. A living owner is never disturbed.
 */
export async function prepareSocketFile(path: string): Promise<Result<void>> {
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_SOCKET_PATH_BYTES) return failed(tooLong(path, bytes))
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { mode, uid } = await lstat(folder)
  if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) return failed(folderOpen(folder, mode))
  return clearStale(path)
}

async function clearStale(path: string): Promise<Result<void>> {
  const file = await lstat(path).catch(() => null)
  if (file === null) return ok(undefined)
  if (!file.isSocket()) return failed(notSocket(path))
  if (await isAnswered(path)) return failed(inUse(path))
  await unlink(path).catch(() => undefined)
  return ok(undefined)
}

const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    const settle = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.setTimeout(PROBE_MS, () => settle(true))
    socket.once('connect', () => settle(true))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    )
  })

const tooLong = (path: string, bytes: number): Problem =>
  problem('SOCKET_PATH_TOO_LONG', {
    message: `The socket path ${path} has ${bytes} bytes; the system allows ${MAX_SOCKET_PATH_BYTES}.`,
    remedy: 'Use a folder with a shorter path.',
  })

const folderOpen = (folder: string, mode: number): Problem =>
  problem('SOCKET_FOLDER_OPEN', {
    message: `The folder ${folder} is open to others (mode ${(mode & 0o777).toString(8)}) or belongs to another user.`,
    remedy: `Run: chmod 700 ${folder}`,
  })

const notSocket = (path: string): Problem =>
  problem('SOCKET_PATH_TAKEN', {
    message: `${path} exists and is no socket.`,
    remedy: 'Move that file away.',
  })

const inUse = (path: string): Problem =>
  problem('SOCKET_IN_USE', {
    message: `Another controller answers on ${path}.`,
    remedy: 'Use that controller, or stop it first.',
  })
