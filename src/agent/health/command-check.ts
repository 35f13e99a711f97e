import { spawn } from 'node:child_process'
import type { ProbeFailure } from '../../core/shared/instance.ts'
import type { Redact } from '../../core/shared/redact.ts'
import { lastExcerpt } from '../excerpt.ts'
import type { ProbeAnswer } from '../probe.ts'
import { describeSpawnError, sendSignal } from '../processes/start-process.ts'

export type CommandRequest = {
  /** Placeholders filled in. */
  command: readonly string[]
  folder: string
  env: Record<string, string>
  timeoutMs: number
  redact: Redact
  /** Ends the program early, when the agent itself ends. */
  signal: AbortSignal
}

/** The end of what it said is enough to tell why it failed. */
const KEPT_BYTES = 4096
/** A program that left somebody behind who holds its output open is not waited for longer than this. */
const LINGER_MS = 250

type Ending = { code: number | null; by: string | null }

/** Runs a program without a shell in a group of its own: code 0 in time passes, all else fails with what it said. */
export function checkCommand(request: CommandRequest): Promise<ProbeAnswer> {
  const { command, folder, env, timeoutMs, redact, signal } = request
  const [program = '', ...args] = command
  let said = Buffer.alloc(0)
  const fail = (kind: ProbeFailure['kind'], what: string): ProbeAnswer => {
    const words = lastExcerpt(redact(said.toString('utf8')))
    const message = redact(`${command.join(' ')}: ${what}${words === '' ? '' : `: "${words}"`}`)
    return { kind: 'failed', failure: { kind, message, at: Date.now() } }
  }
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const keep = (chunk: Buffer): void => {
      said = Buffer.concat([said, chunk]).subarray(-KEPT_BYTES)
    }
    const end = (answer: ProbeAnswer) => {
      clearTimeout(deadline)
      signal.removeEventListener('abort', cancel)
      // Whoever is left of its group has nothing more to do.
      if (child.pid !== undefined) killGroup(child.pid)
      for (const stream of [child.stdout, child.stderr]) stream.destroy()
      resolve(answer)
    }
    const cancel = () => end(fail('slow', 'was ended together with the agent'))
    const deadline = setTimeout(() => end(fail('slow', `did not end within ${timeoutMs} ms`)), timeoutMs)
    signal.addEventListener('abort', cancel, { once: true })
    const ended = ({ code, by }: Ending) =>
      end(code === 0 ? { kind: 'passed' } : fail('not-serving', endingText({ code, by })))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => end(fail('not-serving', describeSpawnError(program, error))))
    child.on('close', (code, by) => ended({ code, by }))
    child.on('exit', (code, by) => void setTimeout(() => ended({ code, by }), LINGER_MS).unref())
  })
}

const endingText = ({ code, by }: Ending): string =>
  code === null ? `was ended by ${by}` : `ended with code ${code}`

function killGroup(pid: number): void {
  try {
    sendSignal(-pid, 'SIGKILL')
  } catch {
    // Nobody of the group is left whom this user may end.
  }
}
