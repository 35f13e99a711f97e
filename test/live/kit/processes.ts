import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export type FoundProcess = { pid: number; command: string; cwd: string }

/** All processes that stand in a folder or name it in their command line. Zombies have neither. */
export function processesOf(folder: string): FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const found = look(Number(name))
      return found !== null && (found.cwd.startsWith(folder) || found.command.includes(folder)) ? [found] : []
    })
}

function look(pid: number): FoundProcess | null {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return { pid, command, cwd: readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '') }
  } catch {
    return null
  }
}

export function isAlive(pid: number): boolean {
  return look(pid) !== null
}

/** SIGKILL, by its pid; one that is gone already is fine. */
export function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was quicker.
  }
}
