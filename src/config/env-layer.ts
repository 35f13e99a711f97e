import { resolve as resolvePath } from 'node:path'
import type { Complaint } from './complaint.ts'
import type { ConfigProblem, Position } from './config-problem.ts'
import { configProblem } from './config-problem.ts'
import { parseEnvFile } from './env-file.ts'
import type { FileText, Unreadable } from './file-text.ts'
import { readFileText } from './file-text.ts'
import type { Layer } from './layers.ts'
import type { Origin } from './origin.ts'

/** Linux takes about 2 MiB for all variables and arguments of a process together. */
const MAX_ENV_FILE_BYTES = 1_048_576

export type ReadEnvFile = (file: string) => FileText
export const readEnvFile: ReadEnvFile = (file) => readFileText(file, MAX_ENV_FILE_BYTES)

/** Several environments and services share files: each is read once, so that all see the same. */
export function onceEach(read: ReadEnvFile): ReadEnvFile {
  const known = new Map<string, FileText>()
  return (file) => {
    const found = known.get(file) ?? read(file)
    known.set(file, found)
    return found
  }
}

type EnvLayerInput = {
  /** Where the configuration stands, for messages. */
  config: string
  folder: string
  /** Highest first: the first one that names env files counts. */
  layers: readonly Layer[]
  /** A file of another environment may be on another machine. */
  mayBeMissing: boolean
  read: ReadEnvFile
}

/** The variables of all env files of a service as one layer, below every `env` of the configuration. */
export function envLayer(input: EnvLayerInput): { layer: Layer; problems: ConfigProblem[] } {
  const env = new Map<string, string>()
  const origins = new Map<string, Origin>()
  const problems: ConfigProblem[] = []
  const naming = input.layers.find(({ values }) => values.run?.envFile !== undefined)
  for (const [index, shown] of (naming?.values.run?.envFile ?? []).entries()) {
    const found = input.read(resolvePath(input.folder, shown))
    if (found.kind === 'missing' && input.mayBeMissing) continue
    if (found.kind !== 'text') {
      const complaint = complaintOf(found, `run.envFile[${index}] ${shown}`)
      problems.push(configProblem(input.config, placeOf(naming, index), complaint))
      continue
    }
    const content = parseEnvFile(shown, found.text.replace(/^\uFEFF/, ''))
    problems.push(...content.problems)
    for (const { name, value, at } of content.variables) {
      env.set(name, value)
      origins.set(name, { kind: 'env-file', file: shown, ...at })
    }
  }
  return { layer: layerOf(env, origins), problems }
}

function placeOf(layer: Layer | undefined, index: number): Position | null {
  const origin = layer?.originOf(['run', 'envFile', index]) ?? null
  return origin === null || origin.kind === 'default' ? null : { line: origin.line, column: origin.column }
}

const layerOf = (env: ReadonlyMap<string, string>, origins: ReadonlyMap<string, Origin>): Layer => ({
  values: { run: { env: Object.fromEntries(env) } },
  originOf: (path) => origins.get(String(path.at(-1))) ?? { kind: 'default', note: '' },
})

function complaintOf(found: Unreadable, subject: string): Complaint {
  const because = (code: string, what: string, remedy: string): Complaint => ({
    code,
    message: `${subject} ${what}`,
    remedy,
  })
  switch (found.kind) {
    case 'missing':
      return because(
        'CONFIG_ENV_FILE_MISSING',
        'does not exist',
        'Create it, or correct the path: it begins at this file.',
      )
    case 'folder':
      return because('CONFIG_ENV_FILE_UNREADABLE', 'is a folder', 'Name the file in it.')
    case 'not-a-file':
      return because(
        'CONFIG_ENV_FILE_UNREADABLE',
        'is not a regular file',
        'Write the variables to a file and name that.',
      )
    case 'too-large':
      return because(
        'CONFIG_ENV_FILE_TOO_LARGE',
        `has ${found.bytes} bytes, more than ${MAX_ENV_FILE_BYTES}`,
        'Check that it is the right file. Large data belongs into the artifact.',
      )
    case 'unreadable':
      return because(
        'CONFIG_ENV_FILE_UNREADABLE',
        `cannot be read (${found.code})`,
        'Allow your user to read it.',
      )
    case 'utf-16':
    case 'not-utf-8':
      return because(
        'CONFIG_ENV_FILE_UNREADABLE',
        'is not UTF-8 text',
        'Save the file as UTF-8 in your editor.',
      )
  }
}
