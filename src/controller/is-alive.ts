import { readFileSync } from 'node:fs'

/** Whether the process runs. One that was killed may linger as a zombie until its parent looks: it is dead all the same. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(statusOf(pid))
  } catch {
    return false
  }
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return '' // No such file system here: being there is all that can be known.
  }
}
