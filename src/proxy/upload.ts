import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Tally } from '../core/shared/counters.ts'
import type { Copied } from './copied.ts'

/** Room for one read of the socket; more only adds latency to back-pressure. */
const BUFFER_BYTES = 64 * 1024

type UploadParts = {
  limitBytes: number
  tally: Tally | null
  copied: Copied | null
  onTooLarge: () => void
}

/**
 * The body of a request as one attempt at an instance sees it. It takes from the client only what the instance asks
 * for, and when the attempt dies the client's connection lives on, so that another attempt can be made while
 * `consumed` is false.
 */
export class Upload extends Readable {
  consumed = false
  /** Bytes taken from the client, to notice a client that has stopped. */
  bytes = 0
  private readonly req: IncomingMessage
  private readonly limitBytes: number
  private readonly tally: Tally | null
  private readonly copied: Copied | null
  private readonly onTooLarge: () => void

  constructor(req: IncomingMessage, { limitBytes, tally, copied, onTooLarge }: UploadParts) {
    super({ highWaterMark: BUFFER_BYTES })
    this.req = req
    this.limitBytes = limitBytes
    this.tally = tally
    this.copied = copied
    this.onTooLarge = onTooLarge
    // Who reads this stream learns of its end by the request it belongs to.
    this.on('error', () => undefined)
  }

  override _read(): void {
    if (!this.consumed) {
      this.consumed = true
      this.req.on('data', this.receive)
      this.req.on('end', this.finish)
    }
    this.req.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.req.off('data', this.receive)
    this.req.off('end', this.finish)
    this.req.pause()
    callback(error)
  }

  private readonly receive = (chunk: Buffer): void => {
    this.bytes += chunk.length
    if (this.bytes > this.limitBytes) this.onTooLarge()
    else {
      this.tally?.passedIn(chunk.length)
      this.copied?.take(chunk)
      if (!this.push(chunk)) this.req.pause()
    }
  }

  private readonly finish = (): void => {
    this.push(null)
    this.copied?.ask()
  }
}
