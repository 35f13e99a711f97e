import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SLUICE = fileURLToPath(new URL('../../tools/bin/sluice.ts', import.meta.url))
const LOAD = fileURLToPath(new URL('../../src/testkit/load/main.ts', import.meta.url))

/** Runs one command as a person would and gives what it prints. */
export const sluice = (args: readonly string[]): string =>
  execFileSync(process.execPath, [SLUICE, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })

/** Steady requests from a process of its own; end it by its signal. */
export const startLoad = (url: string, ratePerSecond: number): ChildProcess =>
  spawn(process.execPath, [LOAD, '--url', url, '--rate', String(ratePerSecond), '--mix', 'shop'], {
    stdio: 'ignore',
  })
