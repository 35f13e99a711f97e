import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, statSync } from 'node:fs'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import type { ProcessIdentity } from '../instance-record.ts'
import { openLog } from '../log-file.ts'
import { findProcess, INSTANCE_VARIABLE } from './process-table.ts'

/** Inherited from the agent: what a program needs to find others and to speak the right language, nothing that changes its behaviour. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'] as const

export type StartRequest = {
  spec: SetSpec
  instance: string
  port: number
  secrets: Record<string, string>
  logFile: string
  agentEnv: NodeJS.ProcessEnv
}
export type Started =
  | { kind: 'started'; process: ProcessIdentity; exited: Promise<HowItEnded> }
  | { kind: 'failed'; message: string }
export type HowItEnded = { code: number | null; signal: string | null }

/**
 * Starts one process in its own session and group, its output straight into the log file: it needs the agent for nothing,
 * so it outlives it. Resolves when the program was executed or could not be.
 */
export async function startProcess(request: StartRequest): Promise<Started> {
  const { spec } = request
  if (!statSync(spec.folder, { throwIfNoEntry: false })?.isDirectory()) {
    return { kind: 'failed', message: `could not start: the folder ${spec.folder} does not exist` }
  }
  const [program = '', ...args] = spec.command.map((word) => fillIn(word, request))
  const log = openLog(request.logFile)
  try {
    const child = spawn(program, args, {
      cwd: spec.folder,
      env: environmentOf(request),
      detached: true,
      stdio: ['ignore', log, log],
    })
    return await started(child, program)
  } catch (error) {
    return { kind: 'failed', message: describeSpawnError(program, error) }
  } finally {
    closeSync(log)
  }
}

/** `{{port}}` and `{{version}}` in a word of the command or a value of the environment. */
export const fillIn = (text: string, { port, spec }: Pick<StartRequest, 'port' | 'spec'>): string =>
  text.replaceAll('{{port}}', String(port)).replaceAll('{{version}}', spec.version)

export function environmentOf(request: Omit<StartRequest, 'logFile'>): Record<string, string> {
  const { agentEnv, spec, secrets, port, instance } = request
  const inherited = INHERITED.flatMap((name) =>
    agentEnv[name] === undefined ? [] : [[name, agentEnv[name]]],
  )
  const own = Object.entries(spec.env).map(([name, value]) => [name, fillIn(value, request)])
  return {
    ...Object.fromEntries([...inherited, ...own]),
    ...secrets,
    PORT: String(port),
    SLUICE_VERSION: spec.version,
    [INSTANCE_VARIABLE]: instance,
  }
}

function started(child: ChildProcess, program: string): Promise<Started> {
  // The start time is read at once: later the pid could be another process.
  const row = child.pid === undefined ? null : findProcess(child.pid)
  const exited = new Promise<HowItEnded>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'failed', message: describeSpawnError(program, error) }))
    child.once('spawn', () => {
      child.unref()
      const process = { pid: child.pid ?? 0, startTime: row?.startTime ?? 'ended at once' }
      resolve({ kind: 'started', process, exited })
    })
  })
}

export function describeSpawnError(program: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT')
    return `could not start: ${program} was not found (ENOENT); is it on PATH, or in the artifact?`
  if (code === 'EACCES')
    return `could not start: ${program} may not be executed (EACCES); is its execute bit set?`
  return `could not start ${program}: ${error instanceof Error ? error.message : String(error)}`
}

/** Sends a signal; that the receiver has just gone is no failure. Negative: a whole group. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
