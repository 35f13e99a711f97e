import { accessSync, constants, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import { failed, type Result } from '../../../core/shared/result.ts'
import { DamagedRowError } from './rows.ts'

/** Below this much free space an I/O error is taken for a full disk: SQLite does not always tell the two apart. */
const FULL_BELOW_BYTES = 256 * 1024

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html); extended codes keep them in the low byte. */
const SQLITE = { error: 1, readOnly: 8, ioError: 10, corrupt: 11, full: 13, notADatabase: 26 } as const

/** Runs work on the file; what SQLite throws becomes a `Problem`, what is a bug is thrown on. */
export function guarded<T>(file: string, run: () => Result<T>): Result<T> {
  try {
    return run()
  } catch (error) {
    return failed(problemFrom(file, error))
  }
}

export function problemFrom(file: string, error: unknown): Problem {
  if (error instanceof DamagedRowError) return corrupt(file, error.message)
  if (!(error instanceof Error) || !('code' in error)) throw error
  if (error.code === 'ERR_OUT_OF_RANGE') return corrupt(file, error.message)
  if (error.code === 'ERR_INVALID_STATE') return closed(file)
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return full(file, error.message)
  if (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'EIO')
    return unavailable(file, error.message)
  if (!('errcode' in error) || typeof error.errcode !== 'number') throw error
  return fromResultCode(file, {
    code: error.errcode & 0xff,
    message: `${error.message} (SQLite code ${error.errcode})`,
  })
}

function fromResultCode(file: string, { code, message }: { code: number; message: string }): Problem {
  if (code === SQLITE.full) return full(file, message)
  if (code === SQLITE.corrupt || code === SQLITE.notADatabase) return corrupt(file, message)
  if (code === SQLITE.error && /unsupported file format|no such/.test(message)) return corrupt(file, message)
  if (code === SQLITE.readOnly && mayWrite(file)) return corrupt(file, 'the header of the file was changed')
  if (code === SQLITE.ioError && diskIsFull(file)) return full(file, message)
  return unavailable(file, message)
}

/** Asked of folder and file, because SQLite needs its -wal beside the file. On a read-only disk both say no. */
function mayWrite(file: string): boolean {
  try {
    accessSync(file, constants.W_OK)
    accessSync(dirname(file), constants.W_OK)
    return true
  } catch {
    return false
  }
}

function diskIsFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file))
    return bavail * bsize < FULL_BELOW_BYTES
  } catch {
    return false
  }
}

export function corrupt(file: string, cause: string): Problem {
  return problem('STORE_CORRUPT', {
    message: `The state file ${file} is damaged: ${cause}.`,
    cause,
    remedy:
      'Restore a copy: sluice restore FILE. The damaged file is kept aside. Sluice refused to use it and changed nothing in it.',
  })
}

export function newerFormat(file: string, formats: { found: number; known: number }): Problem {
  return problem('STORE_NEWER_FORMAT', {
    message: `The state file ${file} has format ${formats.found}. This version of Sluice knows formats up to ${formats.known}.`,
    remedy:
      'Start the newer version of Sluice that wrote the file, or restore a copy made before the upgrade. Nothing was changed.',
  })
}

/** This process is not, or no longer, the owner of the file. */
export function notOwner(file: string): Problem {
  return problem('STORE_FENCED', {
    message: `This process does not own the state file ${file}, so it may not write to it.`,
    remedy: 'Stop this controller: it is not the owner of the state. Restart it to take ownership again.',
  })
}

function full(file: string, cause: string): Problem {
  return problem('STORE_FULL', {
    message: `There is no space left for the state file ${file}. The change was not made.`,
    cause,
    remedy: `Free some space on the disk that holds ${dirname(file)}. Sluice goes on by itself.`,
    retryable: true,
  })
}

function unavailable(file: string, cause: string): Problem {
  return problem('STORE_UNAVAILABLE', {
    message: `The state file ${file} cannot be read or written: ${cause}.`,
    cause,
    remedy: `Check that ${dirname(file)} is on a healthy local disk and may be written by this user.`,
    retryable: true,
  })
}

function closed(file: string): Problem {
  return problem('STORE_CLOSED', {
    message: `The state file ${file} was already closed by this process.`,
    remedy: 'Start the controller again.',
  })
}
