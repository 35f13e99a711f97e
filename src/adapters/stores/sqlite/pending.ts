import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { ok, type Result } from '../../../core/shared/result.ts'
import { takeOwnerLock } from './owner-lock.ts'

/** A restored state that is complete and in force, but not in its place yet. */
export const pendingOf = (file: string): string => `${file}.restored`

/** What SQLite keeps beside a file. Beside another file it would be taken for that one's. */
export const COMPANIONS = ['-wal', '-shm', '-journal'] as const

/** Puts a restored state in its place when the power went before that; whoever restores right now is not disturbed. */
export function settlePending(file: string): Result<void> {
  if (!existsSync(pendingOf(file))) return ok(undefined)
  const locked = takeOwnerLock(file, null)
  if (locked.kind === 'failed') return locked
  try {
    if (existsSync(pendingOf(file))) putInPlace(file)
    return ok(undefined)
  } finally {
    locked.value.free()
  }
}

/** Only for who holds the lock. May be done again after it was cut off anywhere. */
export function putInPlace(file: string): void {
  for (const companion of COMPANIONS) rmSync(`${file}${companion}`, { force: true })
  syncFolder(dirname(file))
  renameSync(pendingOf(file), file)
  syncFolder(dirname(file))
}

/** Makes names durable; their content is synced by who wrote it. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
