import { randomBytes } from 'node:crypto'

/** RFC 6455, 7.4.1: "going away", the server is going down; clients come back by themselves. */
const GOING_AWAY = 1001

/**
 * Knows where the frames of one direction of a WebSocket end (RFC 6455, 5.2), because a close frame of our own may
 * only stand between two of them. Looks at frame heads, never at payloads.
 */
export class FrameTracker {
  private payloadLeft = 0
  private head: number[] = []

  /** No frame is half sent. */
  get atBoundary(): boolean {
    return this.payloadLeft === 0 && this.head.length === 0
  }

  /** Follows a chunk and answers how many of its bytes belong to frames that were complete or begun before `stopAtBoundary`. */
  feed(chunk: Buffer, stopAtBoundary = false): number {
    let at = 0
    while (at < chunk.length) {
      if (stopAtBoundary && this.atBoundary) return at
      if (this.payloadLeft > 0) {
        const step = Math.min(this.payloadLeft, chunk.length - at)
        this.payloadLeft -= step
        at += step
      } else {
        this.head.push(chunk[at] ?? 0)
        at += 1
        this.readHead()
      }
    }
    return at
  }

  private readHead(): void {
    const second = this.head[1]
    if (second === undefined) return
    const short = second & 0x7f
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
    const maskBytes = second & 0x80 ? 4 : 0
    if (this.head.length < 2 + lengthBytes + maskBytes) return
    let length = lengthBytes === 0 ? short : 0
    for (let at = 2; at < 2 + lengthBytes; at += 1) length = length * 256 + (this.head[at] ?? 0)
    this.payloadLeft = length
    this.head = []
  }
}

/** A close frame 1001; clients mask what they send, servers do not. */
export function closeFrame(masked: boolean): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(GOING_AWAY)
  if (!masked) return Buffer.concat([Buffer.from([0x88, 0x02]), payload])
  const mask = randomBytes(4)
  for (let at = 0; at < 2; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at] ?? 0)
  return Buffer.concat([Buffer.from([0x88, 0x82]), mask, payload])
}
