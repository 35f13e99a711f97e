import { type ChildProcess, spawn } from 'node:child_process'

/** The end of what the command wrote is kept for the error; the beginning is dropped. */
const KEPT_OUTPUT_BYTES = 4096
/** A background process of the command may hold its output open; after its exit we wait only this long for the rest. */
const LINGER_MS = 250

export type Ending =
  | { kind: 'exited'; code: number; output: string }
  | { kind: 'signalled'; signal: string; output: string }
  | { kind: 'timed-out'; output: string }
  | { kind: 'not-started'; error: string }

type Run = { program: string; args: string[]; env: Record<string, string>; input: string; timeoutMs: number }

/** Runs a program in a process group of its own and never takes longer than `timeoutMs` and a bit. */
export function runCommand({ program, args, env, input, timeoutMs }: Run): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    const output = keepTail(child)
    let late = false
    const deadline = setTimeout(() => {
      late = true
      killGroup(child)
    }, timeoutMs)
    const end = (ending: Ending) => {
      clearTimeout(deadline)
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
      resolve(ending)
    }
    const endOf = (code: number | null, signal: string | null): Ending => {
      if (late) return { kind: 'timed-out', output: output() }
      return code === null
        ? { kind: 'signalled', signal: `${signal}`, output: output() }
        : { kind: 'exited', code, output: output() }
    }
    child.on('error', (error) => end({ kind: 'not-started', error: error.message }))
    child.on('close', (code, signal) => end(endOf(code, signal)))
    child.on('exit', (code, signal) => {
      setTimeout(() => end(endOf(code, signal)), LINGER_MS).unref()
    })
    child.stdin.on('error', () => {}) // A command need not read its input; its exit code says what counts.
    child.stdin.end(input)
  })
}

function keepTail(child: ChildProcess): () => string {
  let tail = Buffer.alloc(0)
  const keep = (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-KEPT_OUTPUT_BYTES)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return () => tail.toString('utf8').trim()
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group ended in this very moment.
  }
}
