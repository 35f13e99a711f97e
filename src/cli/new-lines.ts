import type { LogLines } from './answers.ts'

/** Lines compared to find where the last answer ended. */
const OVERLAP_LIMIT = 500

/** What `next` has after the part that `previous` ended with, for each instance by itself. */
export function newLines(previous: LogLines, next: LogLines): LogLines {
  const instances = new Set(next.map(({ instance }) => instance))
  const fresh = new Set<LogLines[number]>()
  for (const instance of instances) {
    const before = previous.filter((line) => line.instance === instance)
    const after = next.filter((line) => line.instance === instance)
    for (const line of after.slice(overlap(before, after))) fresh.add(line)
  }
  return next.filter((line) => fresh.has(line))
}

/** Length of the longest beginning of `after` that is an end of `before`. */
function overlap(before: LogLines, after: LogLines): number {
  for (let length = Math.min(before.length, after.length, OVERLAP_LIMIT); length > 0; length -= 1) {
    const end = before.slice(-length)
    if (end.every(({ line }, index) => line === after[index]?.line)) return length
  }
  return 0
}
