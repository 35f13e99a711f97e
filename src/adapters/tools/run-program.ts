import { type ChildProcess, spawn } from 'node:child_process'

/** The end of what the program said is kept for messages; the beginning is dropped. */
const KEPT_BYTES = 4096
/** A background process of the program may hold its output open; after its exit we wait only this long for the rest. */
const LINGER_MS = 250
/** The rest of the controller's environment stays at home: it may hold secrets the program has no business with. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR']

/** `output` is what went to standard output, `errors` the end of standard error, `said` the end of both. */
type Said = { output: string; errors: string; said: string }
export type Ending =
  | ({ kind: 'exited'; code: number } & Said)
  | ({ kind: 'signalled'; signal: string } & Said)
  | ({ kind: 'timed-out' } & Said)
  | { kind: 'cancelled' }
  | { kind: 'too-large' }
  | { kind: 'not-started'; error: string }

export type Run = {
  program: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  /** The controller's own folder where it is left out. */
  cwd?: string
  input?: string
  timeoutMs: number
  /** More on standard output ends the program; where it is left out nothing of it is kept but the end. */
  maxOutputBytes?: number
}

/** Of these variables those that are set. */
export const inheritedFrom = (env: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))

/** Runs a program without a shell, in a process group of its own, and never takes longer than `timeoutMs` and a bit. */
export function runProgram(run: Run, signal?: AbortSignal): Promise<Ending> {
  const { program, args, env, cwd, timeoutMs } = run
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    const kept = keep(child, run.maxOutputBytes, () => stop({ kind: 'too-large' }))
    const end = (ending: Ending) => {
      clearTimeout(deadline)
      signal?.removeEventListener('abort', cancel)
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
      resolve(ending)
    }
    const stop = (ending: Ending) => {
      killGroup(child)
      end(ending)
    }
    const cancel = () => stop({ kind: 'cancelled' })
    const deadline = setTimeout(() => stop({ kind: 'timed-out', ...kept() }), timeoutMs)
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted === true) cancel()
    const endOf = (code: number | null, by: string | null): Ending =>
      code === null ? { kind: 'signalled', signal: `${by}`, ...kept() } : { kind: 'exited', code, ...kept() }
    child.on('error', (error) => end({ kind: 'not-started', error: error.message }))
    child.on('close', (code, by) => end(endOf(code, by)))
    child.on('exit', (code, by) => {
      setTimeout(() => end(endOf(code, by)), LINGER_MS).unref()
    })
    child.stdin.on('error', () => {}) // A program need not read its input; its exit code says what counts.
    child.stdin.end(run.input ?? '')
  })
}

type Streams = { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream }

function keep({ stdout, stderr }: Streams, most: number | undefined, onTooMuch: () => void): () => Said {
  const chunks: Buffer[] = []
  let bytes = 0
  const errors = tail()
  const said = tail()
  stdout.on('data', (chunk: Buffer) => {
    said.add(chunk)
    if (most === undefined) return
    bytes += chunk.length
    if (bytes > most) onTooMuch()
    else chunks.push(chunk)
  })
  stderr.on('data', (chunk: Buffer) => {
    said.add(chunk)
    errors.add(chunk)
  })
  return () => ({
    output: Buffer.concat(chunks).toString('utf8'),
    errors: errors.text(),
    said: said.text(),
  })
}

function tail() {
  let kept = Buffer.alloc(0)
  return {
    add: (chunk: Buffer): void => {
      kept = Buffer.concat([kept, chunk]).subarray(-KEPT_BYTES)
    },
    text: (): string => kept.toString('utf8').trim(),
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
