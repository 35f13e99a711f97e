import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export type AccessFileOptions = {
  path: string
  /** A file that would grow over this is put aside as `.1`, the one before as `.2`, and so on. */
  maxBytes?: number
  /** Old files that are kept. */
  kept?: number
  /** After a failed write nothing is tried for so long. */
  restMs?: number
  onTrouble(error: unknown): void
}

const MAX_BYTES = 16 * 1024 * 1024
const KEPT = 4
const REST_MS = 5_000
/** What may wait for the disk: a second of lines at 5,000 requests a second. */
const WAITING_BYTES = 1024 * 1024
/** So much is written at once without waiting for the next sweep. */
const BATCH_BYTES = 64 * 1024
/** A file that others write, too, is looked at this often by the one that keeps it small. */
const LOOK_MS = 2_000

/** Who writes the file: this process alone; others, too, and this one puts it aside; or others put it aside. */
export type Sharing = 'sole' | 'keeps' | 'adds'

/**
 * A file of lines that never holds a request up: lines wait in memory and are written together. What finds no room there,
 * or no room on the disk, is dropped and counted, and the count becomes a line as soon as one can be written.
 */
export class AccessFile {
  private readonly options: Required<AccessFileOptions>
  private waiting: string[] = []
  private waitingBytes = 0
  private dropped = 0
  private handle: FileHandle | null = null
  private size = 0
  private writing: Promise<void> | null = null
  private restUntil = 0
  private inTrouble = false
  private sharing: Sharing = 'sole'
  private lookAt = 0

  constructor(options: AccessFileOptions) {
    this.options = { maxBytes: MAX_BYTES, kept: KEPT, restMs: REST_MS, ...options }
  }

  write(line: string): void {
    if (this.waitingBytes + line.length > WAITING_BYTES) {
      this.dropped += 1
      return
    }
    this.waiting.push(line)
    this.waitingBytes += line.length
    if (this.waitingBytes > BATCH_BYTES) this.sweep()
  }

  /** Writes what waits, unless a write is under way or the disk has just refused one. */
  sweep(): void {
    const now = performance.now()
    if (this.writing !== null || now < this.restUntil) return
    const isDue = this.sharing === 'keeps' && now >= this.lookAt
    if (this.isIdle && !isDue) return
    this.writing = (this.isIdle ? this.keepSmall() : this.writeBatch()).finally(() => {
      this.writing = null
    })
  }

  /** Other processes write it, too. */
  share(sharing: Sharing): void {
    this.sharing = sharing
  }

  /** Writes what is left and lets go of the file. It may be written to again. */
  async close(): Promise<void> {
    await this.writing
    if (!this.isIdle) await this.writeBatch()
    await this.letGo()
  }

  private get isIdle(): boolean {
    return this.waiting.length === 0 && this.dropped === 0
  }

  private async writeBatch(): Promise<void> {
    const lines = this.waiting
    const dropped = this.dropped
    this.waiting = []
    this.waitingBytes = 0
    this.dropped = 0
    const gap = dropped === 0 ? [] : [JSON.stringify({ at: new Date().toISOString(), dropped })]
    try {
      await this.append(Buffer.from(`${[...gap, ...lines].join('\n')}\n`))
      this.inTrouble = false
    } catch (error) {
      this.dropped += dropped + lines.length
      this.restUntil = performance.now() + this.options.restMs
      if (!this.inTrouble) this.options.onTrouble(error)
      this.inTrouble = true
      await this.letGo()
    }
  }

  private async append(bytes: Buffer): Promise<void> {
    const { maxBytes } = this.options
    let handle = await this.current()
    if (this.sharing !== 'adds' && this.size > 0 && this.size + bytes.length > maxBytes) {
      await this.putAside()
      handle = await this.open()
    }
    let written = 0
    try {
      // In one piece, unless the disk is full: so lines of several processes do not mix.
      while (written < bytes.length) written += (await handle.write(bytes, written)).bytesWritten
    } catch (error) {
      // Half a line would spoil the next one; where others write, one of theirs may stand behind it.
      if (this.sharing === 'sole') await handle.truncate(this.size).catch(() => undefined)
      throw error
    }
    this.size += bytes.length
  }

  /** The file as it is now: others make it longer, or have put it aside. */
  private async current(): Promise<FileHandle> {
    const { handle } = this
    if (handle === null) return await this.open()
    if (this.sharing === 'sole') return handle
    const [ours, there] = await Promise.all([handle.stat(), stat(this.options.path).catch(() => null)])
    this.size = ours.size
    if (there?.ino === ours.ino) return handle
    await this.letGo()
    return await this.open()
  }

  /** Where others write and this process has nothing to say. */
  private async keepSmall(): Promise<void> {
    this.lookAt = performance.now() + LOOK_MS
    const there = await stat(this.options.path).catch(() => null)
    if (there === null || there.size <= this.options.maxBytes) return
    await this.putAside().catch((error: unknown) => this.options.onTrouble(error))
  }

  private async open(): Promise<FileHandle> {
    const { path } = this.options
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const handle = await open(path, 'a', 0o600)
    this.handle = handle
    this.size = (await handle.stat()).size
    return handle
  }

  private async putAside(): Promise<void> {
    await this.letGo()
    const { path, kept } = this.options
    for (let number = kept - 1; number >= 1; number -= 1)
      await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(ignoreMissing)
    await rename(path, `${path}.1`).catch(ignoreMissing)
  }

  private async letGo(): Promise<void> {
    const { handle } = this
    this.handle = null
    this.size = 0
    await handle?.close().catch(() => undefined)
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
