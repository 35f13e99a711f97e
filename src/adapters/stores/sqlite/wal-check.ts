import { existsSync, readFileSync } from 'node:fs'

/** Layout of the write-ahead log: https://www.sqlite.org/fileformat2.html#walformat */
const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const MAGIC = 0x377f0682
/** A log that is being written while it is read can look damaged once; real damage looks the same each time. */
const LOOKS = 3

/**
 * SQLite ends the log at the first frame that does not fit its checksum, and drops what follows without a word. That is right for
 * a torn tail, which was never acknowledged. Damage in the middle would drop transactions that were: then this complains.
 * With `synchronous = FULL` a transaction followed by a further frame had been synced, so it had been acknowledged.
 */
export function walComplaint(file: string): string | null {
  const looks = Array.from({ length: LOOKS }, () => look(`${file}-wal`))
  const [first = null] = looks
  return looks.every((found) => found === first) ? first : null
}

function look(walFile: string): string | null {
  if (!existsSync(walFile)) return null
  const wal = readFileSync(walFile)
  if (wal.length <= HEADER_BYTES || wal.subarray(0, HEADER_BYTES).every((byte) => byte === 0)) return null
  const order = orderOf(wal)
  if (order === null) return 'the header of its -wal file is damaged'
  const frameBytes = FRAME_HEADER_BYTES + wal.readUInt32BE(8)
  const frames = Math.floor((wal.length - HEADER_BYTES) / frameBytes)
  const good = goodFrames(wal, { order, frameBytes, frames })
  return syncedCommitAfter(wal, { good, frameBytes, frames })
    ? `frame ${good + 1} of its -wal file is damaged`
    : null
}

type Order = 'big' | 'little'
type Sum = readonly [number, number]

function orderOf(wal: Buffer): Order | null {
  const magic = wal.readUInt32BE(0)
  if (magic !== MAGIC && magic !== MAGIC + 1) return null
  const order = magic === MAGIC ? 'little' : 'big'
  return sameSum(wal, 24, checksum(wal.subarray(0, 24), order, [0, 0])) ? order : null
}

function goodFrames(wal: Buffer, of: { order: Order; frameBytes: number; frames: number }): number {
  let sum: Sum = [wal.readUInt32BE(24), wal.readUInt32BE(28)]
  for (let index = 0; index < of.frames; index += 1) {
    const start = HEADER_BYTES + index * of.frameBytes
    sum = checksum(wal.subarray(start, start + 8), of.order, sum)
    sum = checksum(wal.subarray(start + FRAME_HEADER_BYTES, start + of.frameBytes), of.order, sum)
    if (!sameSalt(wal, start) || !sameSum(wal, start + 16, sum)) return index
  }
  return of.frames
}

/** Frames of an earlier run of the log carry another salt; they were copied into the main file long ago. */
function syncedCommitAfter(wal: Buffer, of: { good: number; frameBytes: number; frames: number }): boolean {
  let committed = false
  for (let index = of.good; index < of.frames; index += 1) {
    const start = HEADER_BYTES + index * of.frameBytes
    if (!sameSalt(wal, start)) continue
    if (committed) return true
    committed = wal.readUInt32BE(start + 4) !== 0
  }
  return false
}

const sameSalt = (wal: Buffer, frame: number): boolean =>
  wal.compare(wal, 16, 24, frame + 8, frame + 16) === 0

const sameSum = (wal: Buffer, at: number, [a, b]: Sum): boolean =>
  wal.readUInt32BE(at) === a && wal.readUInt32BE(at + 4) === b

function checksum(bytes: Buffer, order: Order, [a, b]: Sum): Sum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let [s0, s1] = [a, b]
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + view.getUint32(at, order === 'little') + s1) >>> 0
    s1 = (s1 + view.getUint32(at + 4, order === 'little') + s0) >>> 0
  }
  return [s0, s1]
}
