import { createInterface } from 'node:readline/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Io, Terminal } from './io.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The real world. */
export function processIo({ keeper, metrics, checker }: Pick<Io, 'keeper' | 'metrics' | 'checker'>): Io {
  endQuietlyWhenNobodyReads()
  return {
    env: process.env,
    cwd: process.cwd(),
    program: [process.execPath, process.argv[1] ?? ''],
    now: () => Date.now(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    input: readInput,
    keeper,
    metrics,
    checker,
    terminal: process.stdout.isTTY && process.stdin.isTTY ? processTerminal() : null,
    onInterrupt: (callback) => {
      for (const signal of SIGNALS) process.on(signal, callback)
      return () => {
        for (const signal of SIGNALS) process.off(signal, callback)
      }
    },
    sleep: async (ms, signal) => {
      await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
    },
  }
}

/** `sluice history | head -1` closes the pipe: that is no error of ours. */
function endQuietlyWhenNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

async function readInput(maximumBytes: number): Promise<string | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    const read = Buffer.from(chunk)
    bytes += read.length
    if (bytes > maximumBytes) return null
    chunks.push(read)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function processTerminal(): Terminal {
  return {
    columns: () => process.stdout.columns || 80,
    rows: () => process.stdout.rows || 24,
    onResize: (callback) => {
      process.stdout.on('resize', callback)
      return () => void process.stdout.off('resize', callback)
    },
    onKeys: listenToKeys,
    ask: askLine,
    onExit: (callback) => {
      process.on('exit', callback)
      return () => void process.off('exit', callback)
    },
  }
}

function listenToKeys(callback: (keys: string) => void): () => void {
  const { stdin } = process
  const take = (chunk: Buffer | string): void => callback(chunk.toString())
  stdin.setRawMode(true)
  stdin.on('data', take)
  stdin.resume()
  return () => {
    stdin.off('data', take)
    stdin.setRawMode(false)
    stdin.pause()
  }
}

async function askLine(question: string): Promise<string | null> {
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  const closed = new Promise<null>((resolve) => reader.once('close', () => resolve(null)))
  const answer = await Promise.race([reader.question(question), closed])
  reader.close()
  return answer
}
