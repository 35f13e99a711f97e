import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { plainText } from '../core/shared/redact.ts'

/** One current file and one previous one of this size per instance: bounded, and enough for the last minutes of a busy service. */
export const LOG_CAP_BYTES = 10 * 1024 * 1024
/** Most that is read for a tail: about 200 bytes a line for the largest number of lines. */
const TAIL_BYTES = 256 * 1024
/** For a few lines; still holds a long one. */
const SHORT_TAIL_BYTES = 64 * 1024
const LONGEST_LINE = 2000

/** Path of the current output file of an instance. */
export const logPath = (folder: string, instance: string): string => join(folder, `${instance}.log`)
export const previousPath = (path: string): string => `${path}.1`

/** A descriptor for stdout and stderr. Appending is what makes truncating under a running writer safe. */
export const openLog = (path: string): number => openSync(path, 'a', 0o600)

/** What became of a file that was full: what of it is the previous file now, and how long it was when it was emptied. */
export type CappedLog = { keptBytes: number; bytes: number }

/**
 * Keeps a log below its cap: the full file becomes the previous one and the current one starts empty.
 * The writer keeps its descriptor, so the file is copied and truncated, not renamed; lines written in between are lost.
 */
export function capLog(path: string, capBytes: number): CappedLog | null {
  if (sizeOf(path) <= capBytes) return null
  let keptBytes = 0
  const copy = `${path}.copy`
  try {
    copyFileSync(path, copy)
    keptBytes = sizeOf(copy)
    renameSync(copy, previousPath(path))
  } catch {
    // No space for the copy: old lines are worth less than a disk that is full for everybody.
    rmSync(copy, { force: true })
    keptBytes = 0
  }
  const bytes = sizeOf(path)
  truncateSync(path, 0)
  return { keptBytes, bytes }
}

/** Last lines, oldest first, as plain text. Goes back into the previous file when the current one is short. Not yet redacted. */
export function tailOf(path: string, lines: number): string[] {
  const most = Math.max(SHORT_TAIL_BYTES, Math.min(TAIL_BYTES, lines * 256))
  const current = readEnd(path, most)
  const rest = most - current.bytes.length
  const previous =
    rest > 0 && current.whole ? readEnd(previousPath(path), rest) : { bytes: Buffer.alloc(0), whole: true }
  const text = Buffer.concat([previous.bytes, current.bytes]).toString('utf8')
  const all = text.split('\n')
  // A first line that may have lost its beginning is dropped: half a secret would not be recognised.
  if (!(previous.whole && current.whole)) all.shift()
  if (all.at(-1) === '') all.pop()
  return all.slice(-lines).map(plainText)
}

/** For after redacting: a line of any length must not fill a page. */
export const shorten = (line: string): string =>
  line.length <= LONGEST_LINE
    ? line
    : `${line.slice(0, LONGEST_LINE)}... (${line.length - LONGEST_LINE} more characters)`

/** Removes what an instance wrote. */
export function removeLog(path: string): void {
  for (const file of [path, previousPath(path), `${path}.copy`, `${path}.position`])
    rmSync(file, { force: true })
}

/** Bytes written since an offset, at most the last 16 KiB: what the newest process of an instance said. */
export function writtenSince(path: string, offset: number): string {
  const { bytes } = readEnd(path, Math.max(0, Math.min(16 * 1024, sizeOf(path) - offset)))
  return bytes.toString('utf8')
}

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Bytes of a file from an offset on, at most so many. */
export function readFrom(path: string, offset: number, most: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0)
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(most)
    return bytes.subarray(0, readSync(file, bytes, 0, most, offset))
  } finally {
    closeSync(file)
  }
}

function readEnd(path: string, most: number): { bytes: Buffer; whole: boolean } {
  if (!existsSync(path) || most <= 0) return { bytes: Buffer.alloc(0), whole: true }
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const length = Math.min(size, most)
    const bytes = Buffer.alloc(length)
    const read = readSync(file, bytes, 0, length, size - length)
    return { bytes: bytes.subarray(0, read), whole: length === size }
  } finally {
    closeSync(file)
  }
}
