import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import type { Rows, SqlQuestion } from './rows.ts'

const here = fileURLToPath(import.meta.url)
/** The same program in sources (`.ts`) and in the package (`.js`). */
const READER = path.join(path.dirname(here), `read-sqlite${path.extname(here)}`)
/** A thousand rows of a few numbers are far below this. */
const MAX_ANSWER_BYTES = 1_048_576
/** The reader is a program that has to start first; that is not the query's fault. */
const START_MS = 1000

const Answer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('rows'), rows: z.array(z.record(z.string(), z.unknown())) }),
  z.object({
    kind: z.literal('trouble'),
    what: z.enum(['writes', 'refused', 'away', 'unwell']),
    message: z.string(),
  }),
])

/**
 * Reads in a process of its own: SQLite works inside of the process that asks, so a slow query would stop the controller,
 * and only the end of a process ends a query for certain.
 */
export function askSqlite(
  { file, text, values, timeoutMs }: SqlQuestion & { file: string },
  signal: AbortSignal | undefined,
): Promise<Rows> {
  if (!existsSync(file))
    return Promise.resolve({ kind: 'trouble', what: 'away', message: 'there is no such file' })
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', READER], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {},
    })
    const chunks: Buffer[] = []
    let bytes = 0
    const end = (rows: Rows) => {
      clearTimeout(deadline)
      signal?.removeEventListener('abort', cancel)
      child.kill('SIGKILL')
      resolve(rows)
    }
    const cancel = () => end({ kind: 'cancelled' })
    const deadline = setTimeout(() => end({ kind: 'timed-out' }), timeoutMs + START_MS)
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted === true) cancel()
    child.on('error', (error) => end({ kind: 'trouble', what: 'unwell', message: error.message }))
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk)
      else end({ kind: 'trouble', what: 'refused', message: 'the answer is too large' })
    })
    child.on('close', () => end(readAnswer(Buffer.concat(chunks).toString('utf8'))))
    child.stdin.on('error', () => undefined)
    child.stdin.end(JSON.stringify({ file, text, values, timeoutMs }))
  })
}

function readAnswer(text: string): Rows {
  try {
    return Answer.parse(JSON.parse(text))
  } catch {
    return { kind: 'trouble', what: 'unwell', message: 'the reader of the file ended without an answer' }
  }
}
