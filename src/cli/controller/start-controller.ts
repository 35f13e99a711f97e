import { spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import { Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { type Client, createClient } from '../client.ts'
import type { Session } from '../session.ts'
import type { Project } from './project.ts'
import { isAlive } from './runtime-file.ts'

/** A controller opens its state, looks at the world and listens within this even on a busy machine; one that cannot ends at once. */
const READY_TIMEOUT_MS = 60_000
/** Whoever waits for longer is told what for. */
const SLOW_AFTER_MS = 10_000
const POLL_MS = 50
/** After the started process ended, a controller that somebody else started at the same moment may still answer. */
const AFTER_EXIT_MS = 1000
/** Lines of controller.log shown when it does not start. */
const LOG_LINES = 12

/** Finds the living controller of the folder or starts one; `started` tells which. */
export async function ensureController(
  session: Session,
  project: Project,
): Promise<Result<{ client: Client; started: boolean }>> {
  const client = createClient(project.state, () =>
    session.note(
      'Bringing the release here; a large image takes its time. Ctrl-C leaves, and the work goes on.',
    ),
  )
  if ((await client.probe('/livez')) === 200) return waitUntilReady(session, { project, client, child: null })
  session.note('Starting the controller of this folder ...')
  prepareStateFolder(project.state)
  const lock = takeStartLock(project.state)
  try {
    const child = lock ? startDetached(session, project) : null
    return await waitUntilReady(session, { project, client, child })
  } finally {
    if (lock) rmSync(lockFile(project.state), { force: true })
  }
}

/** Only its owner may look into the state folder. */
export function prepareStateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
}

/** The arguments after Node and script. */
export const controllerArguments = ({ state, config }: Project): string[] => [
  'internal-controller',
  '--folder',
  state,
  '--config',
  config,
]

const lockFile = (stateFolder: string): string => path.join(stateFolder, 'up.lock')

/** Two `up` at once: the one that makes the file starts the controller, the other one waits for it. */
function takeStartLock(stateFolder: string): boolean {
  const file = lockFile(stateFolder)
  for (const attempt of [1, 2]) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: 'wx', mode: 0o600 })
      return true
    } catch {
      if (attempt === 1 && holderIsGone(file)) rmSync(file, { force: true })
    }
  }
  return false
}

function holderIsGone(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return Number.isInteger(pid) && pid > 0 && !isAlive(pid)
  } catch {
    return true
  }
}

/** The process that was started; `endedAt` is set when it is gone again, or never came to be. */
type Child = { endedAt: number | null; logBegins: number }

function startDetached({ io, note }: Session, project: Project): Child {
  const log = openSync(path.join(project.state, 'controller.log'), 'a', 0o600)
  const [execPath, script] = io.program
  const started: Child = { endedAt: null, logBegins: fstatSync(log).size }
  const child = spawn(execPath, [script, ...controllerArguments(project)], {
    cwd: project.folder,
    detached: true,
    stdio: ['ignore', log, log],
  })
  child.on('exit', () => {
    started.endedAt ??= io.now()
  })
  child.on('error', (error) => {
    started.endedAt ??= io.now()
    note(`The controller could not be started: ${error.message}`)
  })
  child.unref()
  closeSync(log)
  return started
}

type Awaited = { project: Project; client: Client; child: Child | null }

async function waitUntilReady(
  { io, note }: Session,
  { project, client, child }: Awaited,
): Promise<Result<{ client: Client; started: boolean }>> {
  const deadline = io.now() + READY_TIMEOUT_MS
  let slowAt = io.now() + SLOW_AFTER_MS
  const hopeless = (): boolean =>
    typeof child?.endedAt === 'number' && io.now() > child.endedAt + AFTER_EXIT_MS
  while (io.now() < deadline && !hopeless()) {
    if ((await client.probe('/readyz/store')) === 200) return ok({ client, started: child !== null })
    if (io.now() >= slowAt) {
      note('It is not ready yet; this machine seems to be busy. Still waiting ...')
      slowAt = Number.POSITIVE_INFINITY
    }
    await io.sleep(POLL_MS)
  }
  const refusal = hopeless() ? refusalIn(logSince(project.state, child?.logBegins ?? 0)) : null
  if (refusal !== null) return failed(refusal)
  return failed(
    problem('CONTROLLER_NOT_READY', {
      message: hopeless()
        ? 'The controller ended right after its start.'
        : `The controller was not ready within ${READY_TIMEOUT_MS / 1000} s.`,
      cause: lastLogLines(project.state, child?.logBegins ?? 0),
      remedy: `Read ${path.join(project.state, 'controller.log')}, run \`sluice validate\` and \`sluice doctor\`, then try again.`,
      retryable: true,
    }),
  )
}

const Refusal = z.object({ level: z.literal('error'), problem: Problem })

/** Why the controller refused to start, in its own words: the last error it logs. */
function refusalIn(log: string): Problem | null {
  const refusals = log.split('\n').flatMap((line) => {
    try {
      return Refusal.safeParse(JSON.parse(line)).data?.problem ?? []
    } catch {
      return [] // What Node itself writes when it crashes is no JSON.
    }
  })
  return refusals.at(-1) ?? null
}

/** What was logged since the start, not the story of earlier failures. */
function lastLogLines(stateFolder: string, from: number): string {
  const written = logSince(stateFolder, from)
  if (written === '') return 'it wrote no log'
  return `the last lines of its log:\n${written.split('\n').slice(-LOG_LINES).join('\n')}`
}

function logSince(stateFolder: string, from: number): string {
  try {
    return readFileSync(path.join(stateFolder, 'controller.log')).subarray(from).toString('utf8').trim()
  } catch {
    return ''
  }
}
