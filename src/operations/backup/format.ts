import { crc32 } from 'node:zlib'
import * as z from 'zod'

/** Grows when an older version could not read what a newer one writes. */
export const BACKUP_FORMAT = 1

/**
 * A backup is text, one JSON value a line, each behind its checksum:
 *
 *     1b8f0ac4 {"file":"sluice-backup","format":1,"sluice":"0.1.0","writtenAt":"2026-11-21T16:01:02.000Z",...}
 *     90c3d011 {"row":"stream","stream":"shop.local",...}
 *     77ab6f02 {"end":"sluice-backup","rows":1}
 *
 * The checksum is the CRC-32 of the value, begun with the checksum of the line before, so that a changed, lost, doubled or
 * moved line shows where it is. The last line says that nothing was cut off.
 */
export const BackupHeader = z.object({
  file: z.literal('sluice-backup'),
  format: z.int().positive(),
  sluice: z.string(),
  writtenAt: z.iso.datetime(),
  /** Kind and name of the store, for people. */
  store: z.string(),
  from: z.string(),
})
export type BackupHeader = z.infer<typeof BackupHeader>

export const BackupEnd = z.strictObject({ end: z.literal('sluice-backup'), rows: z.int().nonnegative() })

/** Before the first line. */
export const NO_SUM = 0
const SUM_DIGITS = 8
const SPACE = 0x20
const SUM = /^[0-9a-f]{8}$/

/** `sum` is the one of the line before. */
export function encodeLine(value: unknown, sum: number): { line: Buffer; sum: number } {
  const text = Buffer.from(JSON.stringify(value))
  const next = crc32(text, sum)
  return { line: Buffer.from(`${next.toString(16).padStart(SUM_DIGITS, '0')} ${text}\n`), sum: next }
}

export type Decoded = { kind: 'sound'; value: unknown; sum: number } | { kind: 'wrong'; complaint: string }

/** A line without its end. */
export function decodeLine(line: Buffer, sum: number): Decoded {
  const written = line.subarray(0, SUM_DIGITS).toString('latin1')
  if (!SUM.test(written) || line[SUM_DIGITS] !== SPACE)
    return { kind: 'wrong', complaint: 'it has no checksum' }
  const text = line.subarray(SUM_DIGITS + 1)
  const next = crc32(text, sum)
  if (next !== Number.parseInt(written, 16))
    return {
      kind: 'wrong',
      complaint: 'its checksum does not fit what it says, or a line before it is missing',
    }
  try {
    const value: unknown = JSON.parse(text.toString('utf8'))
    return { kind: 'sound', value, sum: next }
  } catch {
    return { kind: 'wrong', complaint: 'it is not JSON' }
  }
}
