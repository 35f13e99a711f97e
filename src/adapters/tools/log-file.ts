import { ftruncateSync, readSync } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import type { Log } from '../../ports/log.ts'

/** Emptied by its reader at this size: some 300,000 lines. */
const EMPTIED_AT_BYTES = 64 * 1024 * 1024
/** What is read at once: about a thousand lines, some milliseconds of work. A longer line is left out. */
const CHUNK_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** How often to read where nobody waits for the lines: it keeps the work in small pieces. */
export const READ_EVERY_MS = 500

/**
 * Begins each line (RFC 7464): where a write was cut off in the middle of a line, as on a full disk, the next line begins
 * on the same one. No client can bring it in: every router that writes here escapes control characters.
 */
export const RECORD = '\u001e'
const RECORD_BYTE = 0x1e

/** What stands in `bytes` from `from` up to `to`, without the end of the line: good until whoever was given it returns. */
export type Line = { bytes: Buffer; from: number; to: number }

export type LogFileOptions = {
  path: string
  /** Is given one whole line after the other, as bytes: making a text of each costs more than reading it. */
  take: (line: Line) => void
  log: Log
  emptiedAtBytes?: number
}

/**
 * The lines that a router appends to a file of ours, read as they come. What stood there before `open` is nobody's: so
 * nothing is counted twice by the next controller. The reader empties the file when it has read all of a large one. A line
 * that is written in that very moment (microseconds) is lost; whoever counts finds it missing, as any that was not written.
 *
 * The file is emptied in place, not renamed: a router that has given up its rights could not open another one.
 */
export class LogFile {
  private readonly options: LogFileOptions
  private readonly chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  private handle: FileHandle | null = null
  /** Up to where the file was read, and how many bytes of an unfinished line stand at the begin of the chunk. */
  private position = 0
  private unfinished = 0
  private isTooLong = false
  private turn: Promise<void> = Promise.resolve()
  private isFailing = false

  constructor(options: LogFileOptions) {
    this.options = options
  }

  /** From now on its lines are taken. Made where there is none. Repeatable. */
  open(): Promise<void> {
    return this.inTurn(async () => {
      if (this.handle !== null) return
      const handle = await this.openFile()
      this.position = (await handle.stat()).size
    })
  }

  /** Up to where it is written now. */
  async size(): Promise<number> {
    return (await stat(this.options.path).catch(() => null))?.size ?? 0
  }

  /** Takes all lines that are there now, or those that end before `until`. */
  read(until = Number.POSITIVE_INFINITY): Promise<void> {
    return this.inTurn(() => this.readOn(until))
  }

  async close(): Promise<void> {
    await this.inTurn(async () => {
      await this.handle?.close()
      this.handle = null
    })
  }

  /** What cannot be read is missing, and whoever counts says so. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(work).then(
      () => {
        this.isFailing = false
      },
      (error: unknown) => {
        if (!this.isFailing)
          this.options.log.warn('log lines cannot be read', {
            file: this.options.path,
            error: String(error),
          })
        this.isFailing = true
      },
    )
    return this.turn
  }

  private async openFile(): Promise<FileHandle> {
    // For appending it is made where it is missing; nothing is ever written through it.
    this.handle = await open(this.options.path, 'a+', 0o600)
    this.beginAnew()
    return this.handle
  }

  private async readOn(until: number): Promise<void> {
    if (this.handle === null) return
    await this.readToEnd(this.handle, until)
    const [ours, named] = await Promise.all([this.handle.stat(), stat(this.options.path).catch(() => null)])
    if (named?.ino === ours.ino) return
    // Somebody put another file there: the next program, or the next configuration, writes into that one.
    await this.handle.close()
    this.handle = null
    await this.openFile()
  }

  private async readToEnd(handle: FileHandle, until: number): Promise<void> {
    const { size } = await handle.stat()
    if (size < this.position) this.beginAnew()
    while (this.position < until) {
      const most = Math.min(CHUNK_BYTES - this.unfinished, until - this.position)
      const { bytesRead } = await handle.read(this.chunk, this.unfinished, most, this.position)
      if (bytesRead === 0) break
      this.takeRead(bytesRead)
    }
    if (this.position >= (this.options.emptiedAtBytes ?? EMPTIED_AT_BYTES)) this.empty(handle.fd)
  }

  /** Nothing else may come between the last look and the end of the lines. */
  private empty(fd: number): void {
    for (;;) {
      const bytesRead = readSync(
        fd,
        this.chunk,
        this.unfinished,
        CHUNK_BYTES - this.unfinished,
        this.position,
      )
      if (bytesRead === 0) break
      this.takeRead(bytesRead)
    }
    ftruncateSync(fd, 0)
    this.beginAnew()
  }

  private beginAnew(): void {
    this.position = 0
    this.unfinished = 0
    this.isTooLong = false
  }

  private takeRead(bytesRead: number): void {
    this.position += bytesRead
    const { chunk } = this
    const end = this.unfinished + bytesRead
    let from = 0
    for (let to = chunk.indexOf(NEWLINE); to >= 0 && to < end; to = chunk.indexOf(NEWLINE, from)) {
      if (!this.isTooLong) this.options.take({ bytes: chunk, from, to })
      this.isTooLong = false
      from = to + 1
    }
    if (end - from === CHUNK_BYTES) this.isTooLong = true
    if (!this.isTooLong) chunk.copyWithin(0, from, end)
    this.unfinished = this.isTooLong ? 0 : end - from
  }
}

/** A line as text; characters are bytes. */
export const textOf = ({ bytes, from, to }: Line): string => bytes.toString('latin1', from, to)

/** The line from behind its last record mark on; `null` where there is none. */
export function recordIn({ bytes, from, to }: Line): Line | null {
  // A negative place would be one from the end of the bytes.
  const at = to === from ? -1 : bytes.lastIndexOf(RECORD_BYTE, to - 1)
  return at < from ? null : { bytes, from: at + 1, to }
}
