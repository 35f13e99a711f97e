import { formatDuration } from '../shared/duration.ts'

/** The middle one; of two middle ones the larger, so that nothing is expected to be faster than it was. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? null
}

/**
 * How fast traffic was off a candidate after its verdict, in earlier rollouts of the service; empty when none went back.
 *
 * @example measuredWayBack([40, 120, 51]) // "; measured in the last 3: median 51ms, worst 120ms"
 */
export function measuredWayBack(trafficOffMs: readonly number[]): string {
  const middle = median(trafficOffMs)
  if (middle === null) return ''
  const worst = formatDuration(Math.max(...trafficOffMs))
  if (trafficOffMs.length === 1) return `; measured once: ${worst}`
  return `; measured in the last ${trafficOffMs.length}: median ${formatDuration(middle)}, worst ${worst}`
}
