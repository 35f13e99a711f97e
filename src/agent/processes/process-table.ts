import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { ProcessIdentity } from '../instance-record.ts'
import { type ProcessStat, parseStat } from './process-stat.ts'

/** One living process; zombies are not in the table: a zombie runs nothing any more. */
export type ProcessRow = { pid: number; parent: number; group: number; session: number; startTime: string }

/** Set in every instance to its id. */
export const INSTANCE_VARIABLE = 'SLUICE_INSTANCE'

const ON_LINUX = process.platform === 'linux'
/** `ps` answers within milliseconds; a host where it does not must not stop the agent. */
const PS_LIMIT_MS = 5000

/** Names the current run of the host. Start times count from the boot, so they are only unique together with it. */
export const hostBoot = ON_LINUX
  ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  : 'not known' // ps prints start times as dates, which no later boot repeats

/** The living process with this pid, `null` when there is none (a zombie counts as none). */
export function findProcess(pid: number): ProcessRow | null {
  return ON_LINUX ? readRow(pid) : (allByPs(['-p', String(pid)])[0] ?? null)
}

/** All living processes of the host that this user can see. */
export function allProcesses(): ProcessRow[] {
  if (!ON_LINUX) return allByPs(['-A'])
  return pidsOfProc().flatMap((pid) => readRow(pid) ?? [])
}

/** A row with all that the kernel counts of it. */
export type CountedRow = ProcessRow & { stat: ProcessStat }

/** All processes of the host that this user can see, zombies included: their counters are their parents' only when they are waited for. Linux only. */
export function countedProcesses(): CountedRow[] {
  return pidsOfProc().flatMap((pid) => {
    const stat = parseStat(readProc(`${pid}/stat`) ?? '')
    return stat === null ? [] : { ...rowOf(stat), stat }
  })
}

/** Whether exactly this process still runs; a pid that was given to another process does not count. */
export const isAlive = (identity: ProcessIdentity): boolean =>
  findProcess(identity.pid)?.startTime === identity.startTime

/**
 * The living processes of the group and session that this process leads (or led).
 * The kernel gives a pid to nobody else while a group of that number exists.
 */
export function familyOf(leader: ProcessIdentity): ProcessRow[]
export function familyOf<Row extends ProcessRow>(leader: ProcessIdentity, rows: readonly Row[]): Row[]
export function familyOf(
  leader: ProcessIdentity,
  rows: readonly ProcessRow[] = allProcesses(),
): ProcessRow[] {
  const now = rows.find((row) => row.pid === leader.pid)
  if (now !== undefined && now.startTime !== leader.startTime) return []
  return rows.filter((row) => row.group === leader.pid || row.session === leader.pid)
}

/** A process and everything that descends from it. */
export function descendantsOf(pid: number): ProcessRow[]
export function descendantsOf<Row extends ProcessRow>(pid: number, rows: readonly Row[]): Row[]
export function descendantsOf(pid: number, rows: readonly ProcessRow[] = allProcesses()): ProcessRow[] {
  const found = rows.filter((row) => row.pid === pid)
  // The list grows while it is walked: each process adds its children.
  for (const parent of found)
    found.push(...rows.filter((row) => row.parent === parent.pid && !found.includes(row)))
  return found
}

/** Living processes that were started as (a part of) this instance, oldest first: found even when their pids were never recorded. */
export function startedAs(instance: string): ProcessRow[] {
  const age = (row: ProcessRow) => Number.parseInt(row.startTime, 10)
  const rows = allProcesses().filter((row) => startVariable(row.pid, INSTANCE_VARIABLE) === instance)
  return rows.sort((a, b) => age(a) - age(b))
}

/** A variable of the environment that the process was started with; `null` where it cannot be read (other systems, other users). */
export function startVariable(pid: number, name: string): string | null {
  const environment = readProc(`${pid}/environ`)
  const line = environment?.split('\0').find((entry) => entry.startsWith(`${name}=`))
  return line === undefined ? null : line.slice(name.length + 1)
}

/** Whether the process has a handler for the signal or ignores it, so that the signal does not simply end it. */
export function survivesSignal(pid: number, signalNumber: number): boolean {
  const status = readProc(`${pid}/status`) ?? ''
  const mask = (field: string) =>
    BigInt(`0x${new RegExp(`^${field}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`)
  return ((mask('SigCgt') | mask('SigIgn')) & (1n << BigInt(signalNumber - 1))) !== 0n
}

/** A file under /proc, `null` when the process is gone or hidden. */
export function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return null
  }
}

const pidsOfProc = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

function readRow(pid: number): ProcessRow | null {
  const stat = parseStat(readProc(`${pid}/stat`) ?? '')
  return stat === null || stat.state === 'Z' || stat.state === 'X' ? null : rowOf(stat)
}

const rowOf = ({ pid, parent, group, session, startTicks }: ProcessStat): ProcessRow => ({
  pid,
  parent,
  group,
  session,
  startTime: `${startTicks}@${hostBoot}`,
})

function allByPs(selection: string[]): ProcessRow[] {
  const columns = ['-o', 'pid=,ppid=,pgid=,stat=,lstart=']
  try {
    const env = { ...process.env, LC_ALL: 'C' }
    return parsePs(
      execFileSync('ps', [...selection, ...columns], { encoding: 'utf8', timeout: PS_LIMIT_MS, env }),
    )
  } catch {
    return [] // ps exits with 1 when it found nothing
  }
}

/** Output of `ps -o pid=,ppid=,pgid=,stat=,lstart=`: the start time is accurate to a second. */
export function parsePs(text: string): ProcessRow[] {
  const lines = text.split('\n').map((line) => /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line))
  return lines.flatMap((found) => {
    if (found === null || found[4]?.startsWith('Z')) return []
    const [, pid, parent, group, , startTime] = found
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        session: Number(group),
        startTime: startTime ?? '',
      },
    ]
  })
}
