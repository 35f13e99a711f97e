import { connect } from 'node:net'
import { join } from 'node:path'
import { withSocketPath } from '../../tools/socket-path.ts'

/** The buffer in each worker that its log goes to, and the socket on which it is read. */
export const LOG_RING = 'requests'
export const LOG_SOCKET = 'log.sock'

const HEAD_DEADLINE_MS = 3_000
/** HAProxy sends half a buffer and more at once only where lines have waited. */
const LARGE_CHUNK_BYTES = 8 * 1024
const CHUNK_BYTES = 64 * 1024
/** Many lines are read at once, a hundredth of the work of one at a time. What does not fit the socket waits in the ring. */
const READ_EVERY_MS = 100

export type WorkerLogOptions = {
  folder: string
  /** The worker that is looked for. */
  pid: number
  /** `start`: also lines that were told before, as far as the worker still has them. */
  from: 'start' | 'now'
  take: (line: string) => void
  /** The worker ended, or somebody took the log away. Not after `close`. */
  onEnd: () => void
}

/**
 * The log of one worker, line by line as it comes. While it is open that worker does not end: after a reload it goes on
 * telling of what it still has, and can be asked for its totals to the last.
 */
export type WorkerLog = {
  kind: 'open'
  /** More was told than was taken so far. */
  isBehind(): boolean
  /** Lines are read many at a time; this reads what there is now. */
  readOn(): void
  close(): void
}

/** Who answers is seen only then: in the moment of a reload two workers have the socket. */
export type Opened = WorkerLog | { kind: 'other-worker' } | { kind: 'nobody' }

export function openWorkerLog(options: WorkerLogOptions): Promise<Opened> {
  const path = join(options.folder, LOG_SOCKET)
  return withSocketPath(path, (short) => openAt(short, options)).catch((): Opened => ({ kind: 'nobody' }))
}

function openAt(path: string, { pid, from, take, onEnd }: WorkerLogOptions): Promise<Opened> {
  return new Promise((resolve) => {
    let state: 'asked' | 'open' | 'closed' = 'asked'
    let isBehind = false
    let rest: NodeJS.Timeout | undefined
    const close = (): void => {
      state = 'closed'
      clearTimeout(deadline)
      clearTimeout(rest)
      socket.destroy()
      resolve({ kind: 'nobody' })
    }
    const goOn = (): void => {
      isBehind = false
      socket.resume()
    }
    const deadline = setTimeout(close, HEAD_DEADLINE_MS)
    const reader = new TextReader({
      onHead: (answering) => {
        clearTimeout(deadline)
        state = 'open'
        const log: WorkerLog = {
          kind: 'open',
          isBehind: () => isBehind,
          readOn: () => void socket.resume(),
          close,
        }
        resolve(answering === pid ? log : { kind: 'other-worker' })
        if (answering !== pid) close()
      },
      take: (line) => {
        if (state === 'open') take(line)
      },
    })
    /** Whether to read on at once. With `data` events a stream goes on reading, line by line, while it is paused. */
    const read = (bytes: number, chunk: Uint8Array): boolean => {
      reader.read(Buffer.from(chunk.buffer, chunk.byteOffset, bytes).toString('latin1'))
      if (state !== 'open') return true
      isBehind = bytes >= LARGE_CHUNK_BYTES
      clearTimeout(rest)
      rest = setTimeout(goOn, READ_EVERY_MS).unref()
      return isBehind
    }
    const onread = { buffer: Buffer.allocUnsafe(CHUNK_BYTES), callback: read }
    const socket = connect({ path, onread })
    socket.unref()
    socket.on('connect', () =>
      socket.write(`show info;show events ${LOG_RING} -w${from === 'now' ? ' -n' : ''}\n`),
    )
    socket.on('error', () => undefined)
    socket.on('close', () => {
      const wasOpen = state === 'open'
      close()
      if (wasOpen) onEnd()
    })
  })
}

type Taking = { onHead: (pid: number) => void; take: (line: string) => void }

/** First who it is, up to an empty line, then a line for each request. */
class TextReader {
  private readonly taking: Taking
  private isHead = true
  private rest = ''

  constructor(taking: Taking) {
    this.taking = taking
  }

  read(more: string): void {
    const text = this.rest === '' ? more : this.rest + more
    let from = this.isHead ? this.head(text) : 0
    for (;;) {
      const end = text.indexOf('\n', from)
      if (this.isHead || end < 0) break
      if (end > from) this.taking.take(text.slice(from, end))
      from = end + 1
    }
    this.rest = text.slice(from)
  }

  /** Where the lines begin. */
  private head(text: string): number {
    const end = text.indexOf('\n\n')
    const pid = /^Pid: (\d+)$/m.exec(text)?.[1]
    if (end < 0 || pid === undefined) return 0
    this.isHead = false
    this.taking.onHead(Number(pid))
    return end + 2
  }
}
