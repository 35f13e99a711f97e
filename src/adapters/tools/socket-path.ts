import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

/** The kernel cuts paths of unix sockets at 108 bytes, the closing zero included. */
const SOCKET_PATH_LIMIT = 107

/** What to connect to for a socket at this path, good until `connect` is done: a path that is too long is reached from its folder. */
export async function withSocketPath<T>(path: string, connect: (path: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= SOCKET_PATH_LIMIT) return await connect(path)
  const folder = await open(dirname(path), 'r')
  try {
    return await connect(`/proc/self/fd/${folder.fd}/${basename(path)}`)
  } finally {
    await folder.close()
  }
}
