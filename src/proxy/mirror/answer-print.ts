import { createHash, type Hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import type { BodyComparison } from '../../core/shared/mirror.ts'

const JSON_TYPE = /^application\/([\w.+-]+\+)?json\b/i
/** What an answer unpacks to at most, as a multiple of what was kept of it. */
const UNPACKED_TIMES = 4

/** Of an answer: its status, when it was complete, and as much of its body as comparing takes. Nothing of it outlives the comparison. */
export class AnswerPrint {
  status = 0
  bytes = 0
  /** By its content type. */
  saysJson = false
  private readonly bodies: BodyComparison['kind']
  private readonly keepBytes: number
  private readonly hash: Hash | null
  private encoding = 'identity'
  private kept: Buffer[] | null = null

  constructor(bodies: BodyComparison['kind'], keepBytes: number) {
    this.bodies = bodies
    this.keepBytes = keepBytes
    this.hash = bodies === 'off' ? null : createHash('sha256')
  }

  begin(status: number, headers: IncomingHttpHeaders): void {
    this.status = status
    this.encoding = headers['content-encoding']?.toLowerCase() ?? 'identity'
    this.saysJson = JSON_TYPE.test(headers['content-type'] ?? '')
    this.kept = this.bodies === 'json' && this.saysJson ? [] : null
  }

  take(chunk: Buffer): void {
    this.bytes += chunk.length
    this.hash?.update(chunk)
    if (this.bytes > this.keepBytes) this.kept = null
    // A copy of its own: a piece of a larger buffer would keep all of it.
    this.kept?.push(Buffer.from(chunk))
  }

  digest(): string {
    return this.hash?.digest('base64') ?? ''
  }

  /** The text of JSON that was kept whole; `null` where it is too large, no JSON, or cannot be unpacked. */
  json(): string | null {
    if (this.kept === null) return null
    const plain = unpacked(Buffer.concat(this.kept), this.encoding, UNPACKED_TIMES * this.keepBytes)
    this.kept = null
    return plain === null ? null : plain.toString('utf8')
  }
}

function unpacked(body: Buffer, encoding: string, maxOutputLength: number): Buffer | null {
  try {
    switch (encoding) {
      case 'identity':
        return body
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body, { maxOutputLength })
      case 'br':
        return brotliDecompressSync(body, { maxOutputLength })
      case 'deflate':
        return inflateSync(body, { maxOutputLength })
      default:
        return null
    }
  } catch {
    // Broken, or far larger than it looked: that it cannot be compared is the answer.
    return null
  }
}
