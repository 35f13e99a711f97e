import { appendFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { sizeOf } from '../log-file.ts'
import { atMost } from './at-most.ts'
import { createDemux } from './demux.ts'
import type { Engine } from './engine.ts'
import {
  after,
  bytesToSkip,
  type LogPosition,
  readMessage,
  readPosition,
  savePosition,
  sinceOf,
} from './log-position.ts'

type FollowerParts = { engine: Engine; log: string; report(error: unknown): void }

/** After a failure, and after the engine has ended a stream while its container runs. */
const AGAIN_MS = 1000

/** Copies what a container writes into the file of its instance: each line once, also over deaths of the agent and the engine. */
export class LogFollower {
  readonly #parts: FollowerParts
  #position: LogPosition | null = null
  #saved: LogPosition | null = null
  #stream: Readable | null = null
  #opening = false
  #closed = false
  #again = 0
  /** Resolves when the container has said all. */
  #finished: Promise<void> = Promise.resolve()

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  /** Called again and again: begins, or goes on where it was cut off. */
  follow(container: string): void {
    const isOther = this.#position !== null && this.#position.container !== container
    if (isOther) this.#stream?.destroy()
    if (this.#closed || this.#opening || (this.#stream !== null && !isOther)) return
    if (!isOther && performance.now() < this.#again) return
    this.#again = performance.now() + AGAIN_MS
    this.#opening = true
    this.#finished = this.#run(this.#begin(container))
      .catch(this.#parts.report)
      .finally(() => {
        this.#opening = false
        this.#stream = null
      })
  }

  /** Resolves when the stream has ended, or after so long. */
  async drained(limitMs: number): Promise<void> {
    await atMost(this.#finished, limitMs)
  }

  /** Once a second: whoever comes after a kill begins here. */
  save(): void {
    if (this.#position === null || this.#position === this.#saved) return
    savePosition(this.#parts.log, this.#position)
    this.#saved = this.#position
  }

  /** The file was emptied, since it was full. */
  emptied(): void {
    if (this.#position !== null) this.#position = { ...this.#position, size: sizeOf(this.#parts.log) }
    this.save()
  }

  close(): void {
    this.#closed = true
    this.#stream?.destroy()
    this.save()
  }

  #begin(container: string): LogPosition {
    const { log } = this.#parts
    const known = this.#position ?? readPosition(log)
    const position =
      known?.container === container ? known : { container, at: '', bytesAt: 0, size: sizeOf(log) }
    this.#position = position
    this.save()
    return position
  }

  async #run(from: LogPosition): Promise<void> {
    const { engine, log, report } = this.#parts
    const opened = await engine.ask({ what: `read the output of ${from.container.slice(0, 12)}` }, (docker) =>
      docker.getContainer(from.container).logs({
        follow: true,
        stdout: true,
        stderr: true,
        timestamps: true,
        since: sinceOf(from),
      }),
    )
    if (opened.kind === 'failed') return report(`${opened.problem.code}: ${opened.problem.message}`)
    const stream = opened.value
    // The library's type is wider than what it gives.
    if (!(stream instanceof Readable)) return
    if (this.#closed) return void stream.destroy()
    this.#stream = stream
    const demux = createDemux()
    let skip = bytesToSkip(from, sizeOf(log))
    try {
      for await (const chunk of stream) skip = this.#copy(demux(Buffer.from(chunk)), skip)
    } catch (error) {
      if (!this.#closed && this.#position?.container === from.container) report(error)
    }
  }

  /** Answers how much is still to be skipped. */
  #copy(payloads: readonly Buffer[], skipBytes: number): number {
    if (this.#position === null) return skipBytes
    let skip = skipBytes
    let position = this.#position
    const fresh: Buffer[] = []
    for (const message of payloads.map(readMessage)) {
      position = after(position, message)
      const known = Math.min(skip, message.bytes.length)
      skip -= known
      fresh.push(message.bytes.subarray(known))
    }
    const bytes = Buffer.concat(fresh)
    if (bytes.length > 0) appendFileSync(this.#parts.log, bytes, { mode: 0o600 })
    this.#position = { ...position, size: sizeOf(this.#parts.log) }
    return skip
  }
}
