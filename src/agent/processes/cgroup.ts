import { existsSync, readFileSync } from 'node:fs'
import { readProc } from './process-table.ts'

/**
 * The file in which the kernel counts out-of-memory kills for the cgroup of a process.
 * `null` when the process shares its cgroup with the agent: then the count says nothing about this process.
 */
export function oomCounterOf(pid: number | 'self'): string | null {
  const own = cgroupFile(readProc('self/cgroup') ?? '')
  const found = cgroupFile(readProc(`${pid}/cgroup`) ?? '')
  return found === null || found === own || !existsSync(found) ? null : found
}

/** cgroups(7): `0::/path` is version 2; in version 1 the memory controller has a line of its own. */
export function cgroupFile(membership: string): string | null {
  const memory = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.+)$/m.exec(membership)?.[1]
  if (memory !== undefined) return `/sys/fs/cgroup/memory${memory}/memory.oom_control`
  const unified = /^0::(.+)$/m.exec(membership)?.[1]
  return unified === undefined ? null : `/sys/fs/cgroup${unified}/memory.events`
}

/** Kills so far; `null` when the cgroup is gone and cannot tell any more. */
export function readOomKills(counter: string): number | null {
  try {
    const count = /^oom_kill (\d+)$/m.exec(readFileSync(counter, 'utf8'))?.[1]
    return count === undefined ? null : Number(count)
  } catch {
    return null
  }
}
