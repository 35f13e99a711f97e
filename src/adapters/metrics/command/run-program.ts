import { type ChildProcess, spawn } from 'node:child_process'

/** Far more than the few numbers of a metric. */
const MAX_OUTPUT_BYTES = 65_536
/** The end of what the program said is kept for the message. */
const KEPT_ERROR_BYTES = 2048
/** A background process of the program may hold its output open; after its exit we wait only this long for the rest. */
const LINGER_MS = 250

export type Ending =
  | { kind: 'exited'; code: number; output: string; errors: string }
  | { kind: 'signalled'; signal: string; errors: string }
  | { kind: 'timed-out' }
  | { kind: 'cancelled' }
  | { kind: 'too-large' }
  | { kind: 'not-started'; error: string }

type Run = { program: string; args: string[]; env: Record<string, string>; cwd: string; timeoutMs: number }

/** Runs a program without a shell, in a process group of its own, and never takes longer than `timeoutMs` and a bit. */
export function runProgram(
  { program, args, env, cwd, timeoutMs }: Run,
  signal: AbortSignal | undefined,
): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = collect(child, () => stop({ kind: 'too-large' }))
    const end = (ending: Ending) => {
      clearTimeout(deadline)
      signal?.removeEventListener('abort', cancel)
      child.stdout.destroy()
      child.stderr.destroy()
      resolve(ending)
    }
    const stop = (ending: Ending) => {
      killGroup(child)
      end(ending)
    }
    const cancel = () => stop({ kind: 'cancelled' })
    const deadline = setTimeout(() => stop({ kind: 'timed-out' }), timeoutMs)
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted === true) cancel()
    const endOf = (code: number | null, by: string | null): Ending =>
      code === null
        ? { kind: 'signalled', signal: `${by}`, errors: output.errors() }
        : { kind: 'exited', code, output: output.text(), errors: output.errors() }
    child.on('error', (error) => end({ kind: 'not-started', error: error.message }))
    child.on('close', (code, by) => end(endOf(code, by)))
    child.on('exit', (code, by) => {
      setTimeout(() => end(endOf(code, by)), LINGER_MS).unref()
    })
  })
}

function collect(
  { stdout, stderr }: { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream },
  onTooMuch: () => void,
): { text(): string; errors(): string } {
  const chunks: Buffer[] = []
  let bytes = 0
  let tail = Buffer.alloc(0)
  stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_OUTPUT_BYTES) onTooMuch()
    else chunks.push(chunk)
  })
  stderr.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-KEPT_ERROR_BYTES)
  })
  return {
    text: () => Buffer.concat(chunks).toString('utf8'),
    errors: () => tail.toString('utf8').trim(),
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group ended in this very moment.
  }
}
