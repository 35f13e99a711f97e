import { spawnSync } from 'node:child_process'

/** What the work below takes on two quiet cores of a few years ago. */
const QUIET_MS = 60
const TRIES = 3

/**
 * How many times slower than a quiet machine this one is now, at least 1: promised times are multiplied by it.
 * The work is to start a program and to end it, since that is what these times are spent on. The slowest try counts.
 */
export function slowness(): number {
  const tries = Array.from({ length: TRIES }, () => {
    const begunAt = performance.now()
    spawnSync(process.execPath, ['--eval', '0'])
    return performance.now() - begunAt
  })
  return Math.max(1, Math.max(...tries) / QUIET_MS)
}
