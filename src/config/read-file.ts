import { failed, ok, type Result } from '../core/shared/result.ts'
import { type ConfigProblem, configProblem } from './config-problem.ts'
import { readFileText } from './file-text.ts'

/** Two hundred services fit into this; the parser needs seconds for a larger one that is made to be slow. */
const MAX_FILE_BYTES = 262_144

/** The text of the file; each thing that can be wrong with it is a problem of its own. */
export function readConfigText(file: string): Result<string, ConfigProblem> {
  const refuse = (code: string, message: string, remedy: string) =>
    failed(configProblem(file, null, { code, message, remedy }))
  const found = readFileText(file, MAX_FILE_BYTES)
  switch (found.kind) {
    case 'text':
      return checkConfigText(file, found.text)
    case 'missing':
      return refuse(
        'CONFIG_FILE_MISSING',
        'does not exist',
        'Run "sluice init" to write one, or name another file with --config FILE.',
      )
    case 'folder':
      return refuse(
        'CONFIG_FILE_IS_FOLDER',
        'is a folder',
        `Name the file in it, for example --config ${file.replace(/\/+$/, '')}/sluice.yaml`,
      )
    case 'not-a-file':
      return refuse(
        'CONFIG_FILE_UNREADABLE',
        'is not a regular file',
        'Write the configuration to a file and name that.',
      )
    case 'too-large':
      return tooLarge(file, found.bytes)
    case 'unreadable':
      return refuse(
        'CONFIG_FILE_UNREADABLE',
        `cannot be read (${found.code})`,
        'Allow your user to read it, for example: chmod u+r FILE.',
      )
    case 'utf-16':
      return notUtf8(file, 'is UTF-16, not UTF-8')
    case 'not-utf-8':
      return notUtf8(file, 'is not UTF-8 text')
  }
}

/** The same limits for a text that did not come from disk. */
export function checkConfigText(file: string, text: string): Result<string, ConfigProblem> {
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_FILE_BYTES) return tooLarge(file, bytes)
  if (text.includes('\0')) return binary(file)
  return ok(text.startsWith('\uFEFF') ? text.slice(1) : text)
}

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
