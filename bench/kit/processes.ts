import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

export type Ended = { code: number; out: string; err: string }
export type RunOptions = { cwd?: string; env?: NodeJS.ProcessEnv; limitMs: number }

/** Runs a program to its end; one that takes longer than the limit is killed and ends with -1. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  const { cwd, env = process.env, limitMs } = options
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const out = textOf(child.stdout)
  const err = textOf(child.stderr)
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
    const end = (code: number, more = '') => {
      clearTimeout(timer)
      resolve({ code, out: out(), err: err() + more })
    }
    child.once('error', (error) => end(-1, error.message))
    child.once('close', (code) => end(code ?? -1))
  })
}

function textOf(stream: ChildProcess['stdout']): () => string {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

/** The command line that keeps a program on the last core; the program itself where there is no taskset or one core. */
export function onLastCore(command: string, args: readonly string[]): [string, string[]] {
  const core = lastCore()
  return core === null ? [command, [...args]] : ['taskset', ['-c', String(core), command, ...args]]
}

export function lastCore(): number | null {
  const cores = availableParallelism()
  if (cores < 2 || spawnSync('taskset', ['-V']).status !== 0) return null
  return cores - 1
}

/** Ends, by pid, processes that work in the folder or name it in their command line. The folder's name must be unique. */
export async function endProcessesOf(folder: string): Promise<number> {
  const left = () => processIds().filter((pid) => pid !== process.pid && belongsTo(pid, folder))
  const found = left()
  for (const pid of found) signal(pid, 'SIGKILL')
  await until(() => left().length === 0, { limitMs: 5_000, what: `processes of ${folder} to end` })
  return found.length
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function belongsTo(pid: number, folder: string): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder) ||
      readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
    )
  } catch {
    return false
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It is gone already, which is what was wanted.
  }
}

type UntilOptions = { limitMs: number; what: string; everyMs?: number }

export async function until(
  holds: () => boolean | Promise<boolean>,
  { limitMs, what, everyMs = 50 }: UntilOptions,
): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Waited ${limitMs / 1000} s in vain for ${what}.`)
    await pause(everyMs)
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
