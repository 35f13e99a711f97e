import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import * as z from 'zod'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'

/** As the engine takes them. Never logged, never part of a problem. */
export type Credentials = { username: string; password: string } | { identitytoken: string }

/** `null`: as nobody in particular. */
export type FindCredentials = (registry: string) => Promise<Result<Credentials | null>>

const Entry = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
})
const ConfigFile = z.object({
  auths: z.record(z.string(), Entry).default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().default(''),
})
type ConfigFile = z.output<typeof ConfigFile>

const MAX_BYTES = 1024 * 1024
/** What people log in to when they name no registry. */
const HUB = 'https://index.docker.io/v1/'
const HUB_NAMES = ['docker.io', 'index.docker.io', 'registry-1.docker.io']
const HELPER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Reads what `docker login` has left in `~/.docker/config.json` (or `DOCKER_CONFIG`), anew each time: people log in while the agent runs. */
export function credentialsIn(env: NodeJS.ProcessEnv): FindCredentials {
  return async (registry) => {
    const folder = env.DOCKER_CONFIG ?? path.join(env.HOME ?? homedir(), '.docker')
    const config = readConfig(path.join(folder, 'config.json'))
    if (config.kind === 'failed') return config
    const helper = helperFor(registry, config.value)
    if (helper !== null) return await askHelper(helper, { registry, env })
    return ok(storedFor(registry, config.value))
  }
}

function readConfig(file: string): Result<ConfigFile> {
  const none = ok({ auths: {}, credHelpers: {}, credsStore: '' })
  try {
    const found = statSync(file, { throwIfNoEntry: false })
    if (found === undefined) return none
    if (!found.isFile() || found.size > MAX_BYTES)
      return failed(unreadable(file, 'it is no file of settings'))
    const parsed = ConfigFile.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success
      ? ok(parsed.data)
      : failed(unreadable(file, 'it is not written as docker login writes it'))
  } catch (error) {
    // The text of a parser quotes what it has read.
    return failed(unreadable(file, error instanceof SyntaxError ? 'it is no JSON' : codeOf(error)))
  }
}

function helperFor(registry: string, { credHelpers, credsStore }: ConfigFile): string | null {
  const own = Object.entries(credHelpers).find(([name]) => isFor(registry, name))?.[1]
  return own ?? (credsStore === '' ? null : credsStore)
}

function storedFor(registry: string, { auths }: ConfigFile): Credentials | null {
  const entry = Object.entries(auths).find(([name]) => isFor(registry, name))?.[1]
  if (entry === undefined) return null
  if (entry.identitytoken !== undefined && entry.identitytoken !== '')
    return { identitytoken: entry.identitytoken }
  if (entry.auth !== undefined && entry.auth !== '') {
    const [username = '', ...password] = Buffer.from(entry.auth, 'base64').toString('utf8').split(':')
    return { username, password: password.join(':').replace(/\0+$/, '') }
  }
  const { username, password } = entry
  return username === undefined || password === undefined ? null : { username, password }
}

/** People and programs write a registry with its scheme and path, and Docker Hub under several names. */
function isFor(registry: string, written: string): boolean {
  const host = written.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return host === registry || (HUB_NAMES.includes(registry) && HUB_NAMES.includes(host))
}

const Answer = z.object({ Username: z.string(), Secret: z.string() })
/** A helper may ask a store that waits for somebody to unlock it: nobody will. */
const HELPER_LIMIT_MS = 10_000
const MOST_OUTPUT = 64 * 1024

async function askHelper(
  name: string,
  { registry, env }: { registry: string; env: NodeJS.ProcessEnv },
): Promise<Result<Credentials | null>> {
  if (!HELPER.test(name)) return failed(helperFailed(name, 'that is no name of a program'))
  const said = await run(`docker-credential-${name}`, {
    input: registry === 'docker.io' ? HUB : registry,
    env,
  })
  if (/credentials not found/i.test(said.output)) return ok(null)
  if (said.failure !== null) return failed(helperFailed(name, said.failure))
  const answer = Answer.safeParse(parseJson(said.output))
  if (!answer.success) return failed(helperFailed(name, 'it gave an answer that is no credentials'))
  const { Username: username, Secret: secret } = answer.data
  return ok(username === '<token>' ? { identitytoken: secret } : { username, password: secret })
}

type Said = { output: string; failure: string | null }

function run(command: string, { input, env }: { input: string; env: NodeJS.ProcessEnv }): Promise<Said> {
  return new Promise((resolve) => {
    const child = spawn(command, ['get'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), HELPER_LIMIT_MS)
    let output = ''
    const end = (failure: string | null): void => {
      clearTimeout(timer)
      resolve({ output, failure })
    }
    child.on('error', (error) => end(codeOf(error) === 'ENOENT' ? 'it is not installed' : codeOf(error)))
    child.on('close', (code, signal) =>
      end(code === 0 ? null : `it ended with ${code === null ? `signal ${signal}` : `code ${code}`}`),
    )
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text: string) => {
      output += text
      if (output.length > MOST_OUTPUT) child.kill('SIGKILL')
    })
    // It may have ended before it read.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)

const unreadable = (file: string, why: string) =>
  problem('REGISTRY_CREDENTIALS_UNREADABLE', {
    message: `the credentials of registries in ${file} cannot be read: ${why}`,
    remedy: 'Correct the file, or remove it and log in again as the user of the agent: docker login.',
  })

const helperFailed = (name: string, why: string) =>
  problem('REGISTRY_CREDENTIALS_UNREADABLE', {
    message: `docker-credential-${name} did not give the credentials: ${why}`,
    remedy:
      'Run it by hand as the user of the agent: echo REGISTRY | docker-credential-... get. Or remove credsStore and credHelpers from ~/.docker/config.json and log in again.',
  })
