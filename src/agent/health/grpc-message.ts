/**
 * The two messages of grpc.health.v1 in protocol buffers, each in the frame of gRPC. So little that a library with a
 * code generator would be the larger risk.
 * Sources: "GRPC Health Checking Protocol" and "gRPC over HTTP2" in the documentation of gRPC; the wire format of
 * Protocol Buffers.
 */

const FRAME_HEADER_BYTES = 5
/** Field 1 as a string, and as a number. */
const SERVICE_TAG = 0x0a
const STATUS_TAG = 0x08
const VARINT_LIMIT_BITS = 28

const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const
export type ServingStatus = (typeof STATUSES)[number]

/** `HealthCheckRequest { string service = 1 }`, not compressed. */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8')
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([SERVICE_TAG, ...varint(name.length)]), name])
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  header.writeUInt32BE(message.length, 1)
  return Buffer.concat([header, message])
}

/** `HealthCheckResponse { ServingStatus status = 1 }`; `null` for what is no such message. A status of 0 is left out on the wire. */
export function decodeResponse(frame: Buffer): ServingStatus | null {
  if (frame.length < FRAME_HEADER_BYTES || frame[0] !== 0) return null
  const message = frame.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + frame.readUInt32BE(1))
  if (message.length !== frame.readUInt32BE(1)) return null
  if (message.length === 0) return 'UNKNOWN'
  if (message[0] !== STATUS_TAG) return null
  const value = readVarint(message.subarray(1))
  return value === null ? null : (STATUSES[value] ?? null)
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

function readVarint(bytes: Buffer): number | null {
  let value = 0
  for (const [index, byte] of bytes.entries()) {
    if (7 * index > VARINT_LIMIT_BITS) return null
    value |= (byte & 0x7f) << (7 * index)
    if (byte < 0x80) return value
  }
  return null
}
