import { readFileSync } from 'node:fs'

/** What the kernel counts in, on every Linux that Node runs on (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100

/** Memory of a process in MB, pages shared with others counted by share. */
export function pssMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? Number.NaN)
  return kilobytes / 1024
}

/** CPU time of a process so far, in seconds. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program may hold spaces, so fields count from the bracket that ends it: utime is the 12th then.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}
