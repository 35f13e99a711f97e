import { readFileSync, statSync } from 'node:fs'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'

/** A Procfile has a few lines, and so have most files that are imported. */
const MAX_BYTES = 64 * 1024

/** The text of a file that somebody named, or why it is none. */
export function readText(path: string, shown: string, maxBytes = MAX_BYTES): Result<string> {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return failed(unreadable(`${shown} does not exist.`, 'Check the path.'))
  if (!found.isFile()) return failed(unreadable(`${shown} is no file.`, 'Name the file itself.'))
  if (found.size > maxBytes)
    return failed(
      unreadable(
        `${shown} has ${found.size} bytes, and at most ${maxBytes} are read.`,
        'Check the path: a file of this kind has a few lines.',
      ),
    )
  return decode(path, shown)
}

function decode(path: string, shown: string): Result<string> {
  try {
    const bytes = readFileSync(path)
    const zero = bytes.indexOf(0)
    if (zero >= 0) return failed(binary(shown, lineOf(bytes, zero)))
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (error) {
    if (error instanceof TypeError) return failed(binary(shown, null))
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return failed(unreadable(`${shown} cannot be read (${code}).`, 'Allow your user to read it.'))
  }
}

const lineOf = (bytes: Buffer, at: number): number =>
  bytes.subarray(0, at).toString('latin1').split('\n').length

const binary = (shown: string, line: number | null) =>
  unreadable(
    line === null ? `${shown} is no UTF-8 text.` : `${shown}:${line} holds a zero byte: the file is no text.`,
    'Check the path, or save the file as UTF-8.',
  )

const unreadable = (message: string, remedy: string) => problem('IMPORT_UNREADABLE', { message, remedy })
