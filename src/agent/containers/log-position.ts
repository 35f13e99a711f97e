import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import * as z from 'zod'

/** How far the output of a container was copied into its file. */
export const LogPosition = z.object({
  container: z.string(),
  /** The engine's time of the last message, `2026-11-22T09:26:42.269661581Z`; empty before the first one. */
  at: z.string(),
  /** What was copied of the messages with exactly this time. */
  bytesAt: z.int().nonnegative(),
  /** Length of the file when this was true. */
  size: z.int().nonnegative(),
})
export type LogPosition = z.infer<typeof LogPosition>

/** One message as the engine sends it with `timestamps`. */
export type LogMessage = { at: string; bytes: Buffer }

const BLANK = 0x20

export function readMessage(payload: Buffer): LogMessage {
  const blank = payload.indexOf(BLANK)
  return { at: payload.subarray(0, blank).toString('latin1'), bytes: payload.subarray(blank + 1) }
}

/** For `since`, which includes messages of exactly this time: seconds and nine digits of a second. */
export function sinceOf({ at }: Pick<LogPosition, 'at'>): string {
  const [, second = '', fraction = ''] = /^(.+?)(?:\.(\d+))?Z$/.exec(at) ?? []
  const ms = Date.parse(`${second}Z`)
  return Number.isNaN(ms) ? '0' : `${ms / 1000}.${fraction.padEnd(9, '0')}`
}

/**
 * What comes first from `sinceOf` on is in the file already: what had this time, and what an agent wrote after its last
 * note before it was killed. Messages come again in the same order and with the same bytes.
 */
export const bytesToSkip = ({ bytesAt, size }: LogPosition, sizeNow: number): number =>
  bytesAt + Math.max(0, sizeNow - size)

/** After a message was copied, or skipped since it is there already. */
export const after = (position: LogPosition, { at, bytes }: LogMessage): LogPosition => ({
  ...position,
  at,
  bytesAt: (at === position.at ? position.bytesAt : 0) + bytes.length,
})

const pathOf = (log: string): string => `${log}.position`

/** Lost or damaged: the file is written anew from the beginning of the container. */
export function readPosition(log: string): LogPosition | null {
  try {
    return LogPosition.parse(JSON.parse(readFileSync(pathOf(log), 'utf8')))
  } catch {
    return null
  }
}

/** Whole or not at all; not forced to the disk, since a power cut ends the container, too. */
export function savePosition(log: string, position: LogPosition): void {
  writeFileSync(`${pathOf(log)}.new`, JSON.stringify(position), { mode: 0o600 })
  renameSync(`${pathOf(log)}.new`, pathOf(log))
}
