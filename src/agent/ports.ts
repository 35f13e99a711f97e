import { createServer } from 'node:net'

/** Tries before giving up: each fails only when the system offers a port that another instance already holds. */
const MOST_TRIES = 50

/** A free port on 127.0.0.1: the preferred one if it is still free, never one of `taken`. */
export async function findFreePort(preferred: number, taken: ReadonlySet<number>): Promise<number> {
  if (preferred !== 0 && !taken.has(preferred) && (await tryPort(preferred)) === preferred) return preferred
  for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
    const port = await tryPort(0)
    if (port !== null && !taken.has(port)) return port
  }
  throw new Error(`no free port on 127.0.0.1 after ${MOST_TRIES} tries`)
}

/** Listens and closes at once: between here and the start somebody else may take the port, see `addressInUse`. */
function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ host: '127.0.0.1', port }, () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : null))
    })
  })
}
