import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below what Linux (32768) and macOS (49152) give away by themselves to whoever asks for any port, and below those of instances. */
const LOWEST = 10_000
const HIGHEST = 20_000
/** Test files that run beside each other draw from parts of their own: what one was given is bound a moment later. */
const PARTS = 4
const PART = Number(process.env.VITEST_POOL_ID ?? 0) % PARTS
const SPAN = (HIGHEST - LOWEST) / PARTS
const MOST_TRIES = 100
const given = new Set<number>()

/** A port that is free and stays so: the system hands it to nobody by itself, neither to a listener nor to a client. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
    const port = LOWEST + PART * SPAN + randomInt(SPAN)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`no free port from ${LOWEST} to ${HIGHEST} after ${MOST_TRIES} tries`)
}

/** A look of its own: the suites of this folder are for adapters of others, too, and know no agent. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
