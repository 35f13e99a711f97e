import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ORPHAN_LIMIT_MS } from '../limits.ts'

const POLL_MS = 25
/** `ps` answers within milliseconds; one that does not must not keep the proxy from starting. */
const PS_LIMIT_MS = 2_000

/**
 * Which workers hold sockets of this folder: a file for each, named by its pid. A worker takes its own away as soon as it has
 * let go of its doors; the process that leads takes away those of workers that are gone.
 */
export class WorkerRecords {
  private readonly folder: string
  private readonly place: string

  constructor(folder: string) {
    this.folder = folder
    this.place = path.join(folder, 'workers')
  }

  async add(pid: number): Promise<void> {
    await mkdir(this.place, { recursive: true, mode: 0o700 })
    await writeFile(path.join(this.place, `${pid}`), '', { mode: 0o600 })
  }

  async remove(pid: number): Promise<void> {
    await unlink(path.join(this.place, `${pid}`)).catch(() => undefined)
  }

  /**
   * Resolves when no worker of a process that died holds a door any more, with the pids of those that had to be ended. To be
   * called by who owns the folder, before it has workers of its own.
   */
  async endOrphans(): Promise<number[]> {
    const end = performance.now() + ORPHAN_LIMIT_MS
    while ((await this.living()).length > 0 && performance.now() < end) await pause(POLL_MS)
    const hung = await this.living()
    for (const pid of hung) {
      killHard(pid)
      await this.remove(pid)
    }
    return hung
  }

  private async living(): Promise<number[]> {
    const names = await readdir(this.place).catch(() => [])
    const living: number[] = []
    for (const pid of names.map(Number).filter((one) => Number.isInteger(one) && one > 0)) {
      // A pid may be another program's by now.
      if ((await commandOf(pid)).some((word) => word === this.folder)) living.push(pid)
      else await this.remove(pid)
    }
    return living
  }
}

/** The words that a worker was started with; none of another program, or where there is none. */
async function commandOf(pid: number): Promise<string[]> {
  const words = process.platform === 'linux' ? await wordsByProc(pid) : await wordsByPs(pid)
  return words.includes('internal-proxy-worker') ? words : []
}

const wordsByProc = async (pid: number): Promise<string[]> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')

async function wordsByPs(pid: number): Promise<string[]> {
  const ps = promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', `${pid}`], { timeout: PS_LIMIT_MS })
  return (await ps.catch(() => ({ stdout: '' }))).stdout.trim().split(' ')
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended just now.
  }
}
