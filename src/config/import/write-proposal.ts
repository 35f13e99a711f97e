import { writeFileSync } from 'node:fs'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'

/** Writes the new file; never over one that exists. */
export function writeProposal(file: string, text: string): Result<void> {
  try {
    writeFileSync(file, text, { flag: 'wx' })
    return ok(undefined)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return failed(code === 'EEXIST' ? exists(file) : notWritten(file, code))
  }
}

const exists = (file: string) =>
  problem('IMPORT_EXISTS', {
    message: `${file} exists already and is left as it is.`,
    remedy: 'Name another file with --out, use --print, or move it away.',
  })
const notWritten = (file: string, code: string) =>
  problem('IMPORT_NOT_WRITTEN', {
    message: `${file} cannot be written (${code}).`,
    remedy: 'Allow your user to write to the folder, or use --print and save the output.',
  })
