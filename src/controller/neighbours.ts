import { readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Clock } from '../ports/clock.ts'
import type { Folder } from './folder.ts'
import { isAlive } from './is-alive.ts'

const SOCKET = /^c-(\d+)\.sock$/
/** One that is frozen does not even hear the signal; whoever is killed loses nothing that was recorded. */
const GRACE_MS = 10_000
const KILL_MS = 5000
const POLL_MS = 50

/**
 * Where a controller takes calls. On a shared store several may run on one folder, each with a socket of its own that
 * carries its pid; the name is not longer than the usual one, because the kernel limits the path.
 */
export const socketOf = ({ sockets }: Folder, isShared: boolean): string =>
  isShared ? path.join(path.dirname(sockets.controller), `c-${process.pid}.sock`) : sockets.controller

/** Other controllers on this folder. What a killed one left behind is removed. */
export function neighbours(folder: Folder): number[] {
  const place = path.dirname(folder.sockets.controller)
  return readdirSync(place).flatMap((name) => {
    const pid = Number(SOCKET.exec(name)?.[1] ?? Number.NaN)
    if (Number.isNaN(pid) || pid === process.pid) return []
    if (isAlive(pid) && isController(pid, folder)) return [pid]
    rmSync(path.join(place, name), { force: true })
    return []
  })
}

/** Ends the other controllers, so that none starts again what this one is about to stop. */
export async function endNeighbours(folder: Folder, clock: Clock): Promise<void> {
  if (await ended(folder, { clock, signal: 'SIGTERM', withinMs: GRACE_MS })) return
  await ended(folder, { clock, signal: 'SIGKILL', withinMs: KILL_MS })
}

type Ending = { clock: Clock; signal: NodeJS.Signals; withinMs: number }

async function ended(folder: Folder, { clock, signal, withinMs }: Ending): Promise<boolean> {
  for (const pid of neighbours(folder)) end(pid, signal)
  const deadline = clock.monotonic() + withinMs
  while (neighbours(folder).length > 0 && clock.monotonic() < deadline) await clock.sleep(POLL_MS)
  return neighbours(folder).length === 0
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It was quicker.
  }
}

/** A pid may belong to somebody else by now. Where the command line cannot be read, the socket's name has to do. */
function isController(pid: number, { root }: Folder): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return command.includes('internal-controller') && command.includes(root)
  } catch {
    return process.platform !== 'linux'
  }
}
