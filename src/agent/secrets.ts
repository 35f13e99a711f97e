import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Problem, problem } from '../core/shared/problem.ts'
import { type Redact, redactor } from '../core/shared/redact.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { writeDurably } from './durable-file.ts'

const VERSION_DIGITS = 12
const KEY_BYTES = 32

/** Secrets of this host: resolved where an instance starts, never sent anywhere, remembered only to be redacted. */
export type Secrets = {
  resolve(names: readonly string[]): Result<Record<string, string>>
  /** Short keyed digests: they tell that a value changed and nothing about the value. */
  versions(names: readonly string[]): Result<Record<string, string>>
  /** Hides a value that was found elsewhere (in a process that an earlier agent started). */
  remember(values: readonly string[]): void
  redact: Redact
}

type SecretSources = { agentFolder: string; env: NodeJS.ProcessEnv }

/** Looks in `secrets.env` beside the agent folder (only while nobody else can read it), then in the agent's environment. */
export function createSecrets({ agentFolder, env }: SecretSources): Secrets {
  const file = join(dirname(agentFolder), 'secrets.env')
  const key = readOrMakeKey(join(agentFolder, 'secret-versions.key'))
  const seen = new Set<string>()
  let hide = redactor([])

  function remember(values: readonly string[]): void {
    const before = seen.size
    for (const value of values) seen.add(value)
    if (seen.size !== before) hide = redactor(seen)
  }
  function resolve(names: readonly string[]): Result<Record<string, string>> {
    if (names.length === 0) return ok({})
    const inFile = readSecretFile(file)
    if (inFile.kind === 'failed') return inFile
    const found = names.map((name) => [name, inFile.value[name] ?? env[name]] as const)
    const missing = found.filter(([, value]) => value === undefined).map(([name]) => name)
    if (missing.length > 0) return failed(missingSecrets(missing, file))
    const values = Object.fromEntries(found.map(([name, value]) => [name, value ?? '']))
    remember(Object.values(values))
    return ok(values)
  }
  function versions(names: readonly string[]): Result<Record<string, string>> {
    const values = resolve(names)
    if (values.kind === 'failed') return values
    const digest = ([name, value]: [string, string]) => [name, versionOf(key, value)] as const
    return ok(Object.fromEntries(Object.entries(values.value).map(digest)))
  }
  return { resolve, versions, remember, redact: (text) => hide(text) }
}

const versionOf = (key: Buffer, value: string): string =>
  createHmac('sha256', key).update(value).digest('hex').slice(0, VERSION_DIGITS)

function readOrMakeKey(path: string): Buffer {
  if (statSync(path, { throwIfNoEntry: false })?.size !== KEY_BYTES)
    writeDurably(path, randomBytes(KEY_BYTES))
  return readFileSync(path)
}

/** Refuses a file that others of this host can read. */
export function readSecretFile(path: string): Result<Record<string, string>> {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return ok({})
  if ((found.mode & 0o077) !== 0) return failed(exposedFile(path, found.mode & 0o777))
  try {
    return ok(parseSecretFile(readFileSync(path, 'utf8')))
  } catch (error) {
    return failed(unreadableFile(path, String(error)))
  }
}

/** `KEY=VALUE` lines; `#` begins a comment line, `export ` is allowed, one pair of quotes around the value is dropped. */
export function parseSecretFile(text: string): Record<string, string> {
  const pairs = text.split(/\r?\n/).map((line) => /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line))
  return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[pair[1] ?? '', unquote(pair[2] ?? '')]] : [])))
}

const unquote = (value: string): string => /^(["'])(.*)\1\s*$/.exec(value)?.[2] ?? value

const missingSecrets = (names: readonly string[], file: string): Problem =>
  problem('SECRET_MISSING', {
    message: `secret ${names.map((name) => `"${name}"`).join(', ')} is neither in ${file} nor in the agent's environment`,
    remedy: `Add a line ${names[0]}=... to ${file} (mode 0600), or start the agent with it in its environment.`,
  })

const exposedFile = (file: string, mode: number): Problem =>
  problem('SECRET_FILE_EXPOSED', {
    message: `${file} has mode ${mode.toString(8).padStart(4, '0')}: other users of this host can reach its secrets`,
    remedy: `Run: chmod 600 ${file}`,
  })

const unreadableFile = (file: string, cause: string): Problem =>
  problem('SECRET_FILE_UNREADABLE', {
    message: `${file} cannot be read by the agent`,
    cause,
    remedy: `Give ${file} to the user that the agent runs as.`,
  })
