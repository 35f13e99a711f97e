import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../ports/log.ts'
import type { Folder } from './folder.ts'
import { readPid } from './folder.ts'

/** The patient drain of the data plane has limits of its own; this one only keeps a stuck part from blocking for ever. */
const PART_LIMIT_MS = 45_000

type Part = 'proxy' | 'agent'

export const pidOf = (name: Part, folder: Folder): number | null =>
  readPid(path.join(folder[name], `${name}.pid`))

/** Ends a part by SIGTERM and waits; what does not leave in time is killed. */
export async function endPart(name: Part, pid: number | null, log: Log): Promise<void> {
  if (pid === null || !signal(pid, 'SIGTERM')) return
  const deadline = Date.now() + PART_LIMIT_MS
  while (Date.now() < deadline) {
    if (!signal(pid, 0)) return
    await sleep(50)
  }
  log.warn('a part did not end in time and was killed', { part: name, pid })
  signal(pid, 'SIGKILL')
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch {
    return false
  }
}
