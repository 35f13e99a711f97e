import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export const PID_FILE = 'haproxy.pid'

/** The master that runs in this folder, as its pid file says, if that process is still HAProxy of this folder. */
export async function masterPid(folder: string): Promise<number | null> {
  const text = await readFile(join(folder, PID_FILE), 'utf8').catch(() => '')
  const pid = Number(text.trim())
  return Number.isInteger(pid) && pid > 1 && (await belongs(pid, folder)) ? pid : null
}

/** In the middle of a reload, when the master runs its program anew, it has no command line for a moment. */
const LOOKS = 5
const LOOK_AGAIN_MS = 5

/**
 * A pid may be somebody else's by now: ours has our folder on its command line. A dead process that nobody has collected
 * yet has none.
 */
export async function belongs(pid: number, folder: string): Promise<boolean> {
  for (let look = 1; look <= LOOKS; look += 1) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line !== '') return line.split('\0').includes(folder)
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    if (status === '' || /^State:\s+[ZX]/m.test(status)) return false
    await pause(LOOK_AGAIN_MS)
  }
  return false
}
