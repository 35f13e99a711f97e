import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const EVERY_MS = 50
/** The app begins such a log when it starts, with one line for each request that reached it. */
const LOG = /^(?<version>.+)-(?<pid>\d+)\.log$/

/** The most instances that ran at the same time, by their processes. */
export function countInstances(logs: string): { stop(): number } {
  let most = 0
  const look = (): void => {
    most = Math.max(most, pidsIn(logs).filter(isAlive).length)
  }
  const timer = setInterval(look, EVERY_MS)
  return {
    stop: () => {
      clearInterval(timer)
      return most
    },
  }
}

/** When the version got its last request; `null` when it never had one. */
export function lastRequestAt(logs: string, version: string): number | null {
  const times = readdirSync(logs)
    .filter((name) => LOG.exec(name)?.groups?.version === version)
    .flatMap((name) => readFileSync(join(logs, name), 'utf8').trim().split('\n'))
    .filter((line) => line !== '')
    .map(Number)
  return times.length === 0 ? null : times.reduce((last, time) => Math.max(last, time), 0)
}

const pidsIn = (logs: string): number[] =>
  readdirSync(logs).flatMap((name) => Number(LOG.exec(name)?.groups?.pid ?? Number.NaN) || [])

function isAlive(pid: number): boolean {
  try {
    // One that has ended and was not reaped yet does not run any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
