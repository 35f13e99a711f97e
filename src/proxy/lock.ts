import { createHash } from 'node:crypto'
import { realpath, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'

/**
 * Makes sure that one process owns the folder. On Linux an abstract socket is the lock: the kernel drops it with the
 * process, however it dies. Elsewhere a control socket that answers shows the owner.
 */
export async function lockFolder(folder: string, socket: string): Promise<Result<Server | null>> {
  if (process.platform === 'linux') {
    const lock = await holdAbstract(await realpath(folder))
    if (lock === null) return failed(owned(folder))
    await unlink(socket).catch(() => undefined)
    return ok(lock)
  }
  if (await answers(socket)) return failed(owned(folder))
  await unlink(socket).catch(() => undefined)
  return ok(null)
}

/** The lock of a process that hands over: held by both until it lets go. */
export const inheritLock = (lock: Server): Server =>
  lock.on('connection', (socket) => socket.destroy()).unref()

function holdAbstract(folder: string): Promise<Server | null> {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32)
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', () => resolve(null))
    server.listen(`\0sluice-proxy-${name}`, () => resolve(server.unref()))
  })
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}

const owned = (folder: string) =>
  problem('PROXY_FOLDER_OWNED', {
    message: `Another proxy already runs for ${folder}.`,
    remedy: 'Use that one, or stop it first.',
  })
