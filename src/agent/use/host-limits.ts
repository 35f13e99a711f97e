import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { readProc } from '../processes/process-table.ts'

/** What the host has for the agent and its instances. */
export type HostLimits = { cpus: number; memoryBytes: number }

/** Deeper trees than this are nobody's. */
const MOST_LEVELS = 32

/** The machine, or what the cgroup of the agent may use of it. Instances run in that cgroup, too, unless somebody moved them. */
export function readHostLimits(): HostLimits {
  const quotas = cpuFiles(readProc('self/cgroup') ?? '').map(({ max, period }) =>
    period === null ? parseCpuMax(read(max)) : parseQuota(read(max), read(period)),
  )
  return {
    cpus: Math.min(availableParallelism(), ...quotas.filter((cpus) => cpus !== null)),
    memoryBytes: lower(totalmem(), process.constrainedMemory()),
  }
}

/** Node answers with 0 or with more than there is where there is no limit. */
export const lower = (total: number, limit: number): number => (limit > 0 ? Math.min(total, limit) : total)

type CpuFiles = { max: string; period: string | null }

/** The files with a limit for this membership (cgroups(7)), its own and those above it. Version 2 has both numbers in one. */
export function cpuFiles(membership: string): CpuFiles[] {
  const old = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(.+)$/m.exec(membership)?.[1]
  const unified = /^0::(.+)$/m.exec(membership)?.[1]
  if (old !== undefined)
    return upwards(old).map((path) => ({
      max: join('/sys/fs/cgroup/cpu', path, 'cpu.cfs_quota_us'),
      period: join('/sys/fs/cgroup/cpu', path, 'cpu.cfs_period_us'),
    }))
  if (unified === undefined) return []
  return upwards(unified).map((path) => ({ max: join('/sys/fs/cgroup', path, 'cpu.max'), period: null }))
}

function upwards(path: string): string[] {
  const levels = [path]
  for (let at = path; at !== '/' && levels.length < MOST_LEVELS; ) {
    at = dirname(at)
    levels.push(at)
  }
  return levels
}

/** `150000 100000` is one and a half processors, `max 100000` is no limit. */
export function parseCpuMax(text: string): number | null {
  const [, quota = '', period = ''] = /^(\d+) (\d+)$/.exec(text.trim()) ?? []
  return share(quota, period)
}

/** Version 1: a quota of -1 is no limit. */
export const parseQuota = (quota: string, period: string): number | null => share(quota.trim(), period.trim())

const share = (quota: string, period: string): number | null =>
  /^[1-9]\d*$/.test(quota) && /^[1-9]\d*$/.test(period) ? Number(quota) / Number(period) : null

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
