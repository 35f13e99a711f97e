import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The same programs in sources (`.ts`) and in the package (`.js`). */
const here = fileURLToPath(import.meta.url)
const program = (name: string): string => path.join(path.dirname(here), '..', `${name}${path.extname(here)}`)
const SLUICE = program('main')
const LOAD = program('testkit/load/main')

/**
 * Runs one public command as a person would, its output on this terminal; answers with its exit code. In a session of its
 * own it also outlives a second Ctrl-C and the closing of the terminal.
 */
export async function sluice(args: readonly string[], session?: 'own-session'): Promise<number> {
  const detached = session === 'own-session'
  return exitCode(spawn(process.execPath, [SLUICE, ...args], { stdio: 'inherit', detached }))
}

/** Runs one command and parses what it prints with `--json`. */
export async function sluiceJson(args: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [SLUICE, ...args, '--json'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const text = await collect(child)
  return JSON.parse(text)
}

export type LoadProcess = { stop(): Promise<unknown> }

/** Open-loop load as a process of its own; `stop` answers with its summary. */
export function startLoad(url: string, ratePerSecond: number): LoadProcess {
  const args = [LOAD, '--url', url, '--rate', String(ratePerSecond), '--mix', 'shop', '--json']
  // A session of its own, so that Ctrl-C in the terminal reaches the demo alone, which then ends the load in order.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  const summary = collect(child)
  return {
    stop: async () => {
      child.kill('SIGTERM')
      return JSON.parse(await summary)
    },
  }
}

async function collect(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.on('data', (chunk) => {
    text += String(chunk)
  })
  await exitCode(child)
  return text
}

const exitCode = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.once('error', () => resolve(1))
    child.once('close', (code) => resolve(code ?? 1))
  })
