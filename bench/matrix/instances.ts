import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Living } from './living.ts'

const EVERY_MS = 50
/** The app begins such a log when it starts, with one line for each request that reached it. */
const LOG = /^(?<version>[^@]+)@(?<owner>.+)\.log$/

/** The most instances that ran at the same time. */
export function countInstances(logs: string, living: Living): { stop(): number } {
  let most = 0
  const look = (): void => {
    most = Math.max(most, ownersIn(logs).filter(living.isAlive).length)
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

const ownersIn = (logs: string): string[] =>
  readdirSync(logs).flatMap((name) => LOG.exec(name)?.groups?.owner ?? [])
