import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below what Linux (32768) and macOS (49152) give by themselves to every client: a port that an instance is about to take,
 * or comes back to after a crash, must not be the other end of somebody's connection by then. Hardly any known program has its
 * port here, which may be free because that program is just being restarted.
 */
const LOWEST = 22_001
const HIGHEST = 24_000
const MOST_TRIES = 200

/** A free port on 127.0.0.1: the preferred one if it is still free, never one of `taken`. */
export async function findFreePort(preferred: number, taken: ReadonlySet<number>): Promise<number> {
  if (preferred !== 0 && !taken.has(preferred) && (await isFree(preferred))) return preferred
  for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST + 1)
    if (!taken.has(port) && (await isFree(port))) return port
  }
  throw new Error(`no free port on 127.0.0.1 from ${LOWEST} to ${HIGHEST}, after ${MOST_TRIES} tries`)
}

/** Listens and closes at once: between here and the start somebody else may take the port, see `addressInUse`. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen({ host: '127.0.0.1', port })
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
