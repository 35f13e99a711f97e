import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { problem } from '../../core/shared/problem.ts'
import { failed, type Result } from '../../core/shared/result.ts'

/** A change of another process (a reload at most) is over long before. */
const TURN_DEADLINE_MS = 20_000
const RETRY_MS = 10

/** One change of a folder at a time, over all processes. The kernel ends the turn of a process that dies. */
export class FolderTurn {
  private readonly folder: string
  private queue: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.folder = folder
  }

  /** Waits for its turn, then works. Not to be called from inside of a turn. */
  take<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
    const turn = this.queue.then(() => this.alone(work))
    this.queue = turn.catch(() => undefined)
    return turn
  }

  private async alone<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
    const end = performance.now() + TURN_DEADLINE_MS
    for (;;) {
      const held = holdLock(join(this.folder, 'turn.lock'))
      if (held !== null) {
        try {
          return await work()
        } finally {
          held.close()
        }
      }
      if (performance.now() > end) return failed(busy(this.folder))
      await pause(RETRY_MS)
    }
  }
}

/** SQLite brings the only portable advisory lock that Node offers; the file holds no data. */
function holdLock(path: string): DatabaseSync | null {
  const lock = new DatabaseSync(path)
  try {
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (!String(error).includes('locked')) throw error
    return null
  }
}

const busy = (folder: string) =>
  problem('ROUTER_UNREACHABLE', {
    message: `Another process has been changing the routes in ${folder} for ${TURN_DEADLINE_MS / 1000} s.`,
    remedy:
      'Traffic goes on as it was. Look which other controller uses this folder, and end it if it hangs.',
    retryable: true,
  })
