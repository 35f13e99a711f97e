import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What /proc tells about processes; everything is empty on systems without it. */
export const hasProc = process.platform === 'linux'

/** Pids of all processes that can be seen. */
export function allPids(): number[] {
  if (!hasProc) return []
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
}

/** A variable of the environment that the process was started with; `null` when it has none or belongs to another user. */
export function startVariable(pid: number, name: string): string | null {
  const line = read(`/proc/${pid}/environ`)
    ?.split('\0')
    .find((entry) => entry.startsWith(`${name}=`))
  return line?.slice(name.length + 1) ?? null
}

/** The command line of a process as words; empty when it is gone or hidden. */
export const commandWords = (pid: number): string[] =>
  read(`/proc/${pid}/cmdline`)?.split('\0').filter(Boolean) ?? []

/** Who started a process and still runs; `null` when it is gone or hidden. */
export function parentOf(pid: number): number | null {
  const found = /^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return found === undefined || found === '0' ? null : Number(found)
}

/** Working folder of a process; `null` when it is hidden. */
export const workingFolder = (pid: number): string | null => link(`/proc/${pid}/cwd`)

/** Pids that hold a listening TCP socket on the port; `hidden` when somebody listens whom this user cannot see. */
export function listenersOn(port: number): { pids: number[]; hidden: boolean } {
  const inodes = new Set([
    ...listeningInodes('/proc/net/tcp', port),
    ...listeningInodes('/proc/net/tcp6', port),
  ])
  if (inodes.size === 0) return { pids: [], hidden: false }
  const pids = allPids().filter((pid) => socketsOf(pid).some((inode) => inodes.has(inode)))
  return { pids, hidden: pids.length === 0 }
}

/** proc_net_tcp(5): state 0A is LISTEN, the port is the hexadecimal after the colon, field 10 the inode. */
function listeningInodes(file: string, port: number): string[] {
  const rows = read(file)?.split('\n').slice(1) ?? []
  return rows.flatMap((row) => {
    const fields = row.trim().split(/\s+/)
    const local = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16)
    return fields[3] === '0A' && local === port ? [fields[9] ?? ''] : []
  })
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(
      (fd) => /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`) ?? '')?.[1] ?? [],
    )
  } catch {
    return []
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function link(file: string): string | null {
  try {
    return readlinkSync(file)
  } catch {
    return null
  }
}
