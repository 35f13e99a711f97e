import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Held as long as this process lives; the kernel lets go of it even after kill -9, so it can never be stale. */
export type FolderLock = { kind: 'held'; release(): void } | { kind: 'taken'; pid: string }

/**
 * Makes this process the only agent of a folder. SQLite brings the only portable advisory file lock that Node offers;
 * agent.lock holds no data. agent.pid is for people and for the message of whoever comes second.
 */
export function lockFolder(folder: string): FolderLock {
  const pidFile = join(folder, 'agent.pid')
  const lock = new DatabaseSync(join(folder, 'agent.lock'))
  try {
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!String(error).includes('locked')) throw error
    return { kind: 'taken', pid: readPid(pidFile) }
  }
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 })
  const release = () => {
    rmSync(pidFile, { force: true })
    lock.close()
  }
  return { kind: 'held', release }
}

function readPid(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return 'unknown'
  }
}
