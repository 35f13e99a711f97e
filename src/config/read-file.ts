import { readFileSync, statSync } from 'node:fs'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { type ConfigProblem, configProblem } from './config-problem.ts'

/** Two hundred services fit into this; the parser needs seconds for a larger one that is made to be slow. */
const MAX_FILE_BYTES = 262_144

/** The text of the file; each thing that can be wrong with it is a problem of its own. */
export function readConfigText(file: string): Result<string, ConfigProblem> {
  const refuse = (code: string, message: string, remedy: string) =>
    failed(configProblem(file, null, { code, message, remedy }))
  let bytes: Buffer
  try {
    const stats = statSync(file)
    if (stats.isDirectory())
      return refuse(
        'CONFIG_FILE_IS_FOLDER',
        'is a folder',
        `Name the file in it, for example --config ${file.replace(/\/+$/, '')}/sluice.yaml`,
      )
    if (!stats.isFile())
      return refuse(
        'CONFIG_FILE_UNREADABLE',
        'is not a regular file',
        'Write the configuration to a file and name that.',
      )
    if (stats.size > MAX_FILE_BYTES) return tooLarge(file, stats.size)
    bytes = readFileSync(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return refuse(
        'CONFIG_FILE_MISSING',
        'does not exist',
        'Run "sluice init" to write one, or name another file with --config FILE.',
      )
    return refuse(
      'CONFIG_FILE_UNREADABLE',
      `cannot be read (${code})`,
      'Allow your user to read it, for example: chmod u+r FILE.',
    )
  }
  return decode(file, bytes)
}

/** The same limits for a text that did not come from disk. */
export function checkConfigText(file: string, text: string): Result<string, ConfigProblem> {
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_FILE_BYTES) return tooLarge(file, bytes)
  if (text.includes('\0')) return binary(file)
  return ok(text.startsWith('\uFEFF') ? text.slice(1) : text)
}

function decode(file: string, bytes: Buffer): Result<string, ConfigProblem> {
  if (isUtf16(bytes)) return notUtf8(file, 'is UTF-16, not UTF-8')
  if (bytes.includes(0)) return binary(file)
  try {
    return checkConfigText(file, new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return notUtf8(file, 'is not UTF-8 text')
  }
}

const isUtf16 = (bytes: Buffer): boolean =>
  bytes.length >= 2 && ['fffe', 'feff'].includes(bytes.subarray(0, 2).toString('hex'))

const tooLarge = (file: string, bytes: number): Result<never, ConfigProblem> =>
  failed(
    configProblem(file, null, {
      code: 'CONFIG_FILE_TOO_LARGE',
      message: `has ${bytes} bytes, more than ${MAX_FILE_BYTES}`,
      remedy: 'Check that this is the right file. Split the services over several files if it is.',
    }),
  )

const binary = (file: string): Result<never, ConfigProblem> =>
  failed(
    configProblem(file, null, {
      code: 'CONFIG_FILE_BINARY',
      message: 'is a binary file',
      remedy: 'Name the YAML file with --config FILE.',
    }),
  )

const notUtf8 = (file: string, message: string): Result<never, ConfigProblem> =>
  failed(
    configProblem(file, null, {
      code: 'CONFIG_FILE_NOT_UTF8',
      message,
      remedy: 'Save the file as UTF-8 in your editor.',
    }),
  )
