import { readdirSync } from 'node:fs'
import { readProc } from '../processes/process-table.ts'

/** By disk: for how long it has had requests under way. */
export type DiskBusy = ReadonlyMap<string, number>

/** Parts of memory that look like disks, and drives nobody writes to. */
const NO_DISK = /^(loop|ram|zram|sr|fd)\d/

/** /proc/diskstats, see the kernel's iostats: field 13 of a line is the time in ms. Partitions are not among `whole`. */
export function parseDiskstats(text: string, whole: ReadonlySet<string>): DiskBusy {
  const disks = text.split('\n').flatMap((line): [string, number][] => {
    const fields = line.trim().split(/\s+/)
    const [name, busyMs] = [fields[2], Number(fields[12])]
    return name === undefined || !whole.has(name) || NO_DISK.test(name) || !Number.isSafeInteger(busyMs)
      ? []
      : [[name, busyMs]]
  })
  return new Map(disks)
}

/** What the busiest disk was busy since the last look. Not the growth of the highest total: an old disk has a high one. */
export function busiestSince(before: DiskBusy, now: DiskBusy): number {
  const grown = [...now].map(([name, busyMs]) => busyMs - (before.get(name) ?? busyMs))
  return Math.max(0, ...grown)
}

/** Empty where the host does not tell. */
export const readDisks = (): DiskBusy => parseDiskstats(readProc('diskstats') ?? '', wholeDisks())

function wholeDisks(): Set<string> {
  try {
    return new Set(readdirSync('/sys/block'))
  } catch {
    return new Set()
  }
}
