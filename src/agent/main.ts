import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { destination } from 'pino'
import type { Problem } from '../core/shared/problem.ts'
import { ok, type Result } from '../core/shared/result.ts'
import { createProcessLog } from '../telemetry/process-log.ts'
import { ContainerRunner } from './containers/container-runner.ts'
import { diagnoseEngine } from './containers/diagnose.ts'
import { createEngine } from './containers/engine.ts'
import { credentialsIn } from './containers/images/credentials.ts'
import { createImageStore } from './containers/images/image-store.ts'
import { SecretFiles } from './containers/secret-files.ts'
import { createControl } from './control.ts'
import { agentRunning, clearSocket, listenOnSocket } from './control-socket.ts'
import { ErrorReader } from './error-reader.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { Asker } from './health/asker.ts'
import { NamedChecks } from './health/named-checks.ts'
import { Prober } from './health/prober.ts'
import { InstanceLedger } from './instance-ledger.ts'
import { InstanceRunner } from './instance-runner.ts'
import { capLog, LOG_CAP_BYTES } from './log-file.ts'
import { ProcessRunner } from './processes/process-runner.ts'
import { hostBoot } from './processes/process-table.ts'
import { QuiesceCommands } from './quiesce-command.ts'
import { recover } from './recovery.ts'
import { createSecrets } from './secrets.ts'
import { SetRegistry } from './set-registry.ts'
import { readState } from './state-file.ts'
import { Supervisor } from './supervisor.ts'
import { UseSampler } from './use/use-sampler.ts'

const EXIT_REFUSED = 13
const EXIT_USAGE = 2
/** Answers under way get this long when the agent is asked to end. */
const CLOSE_LIMIT_MS = 1000

type Log = (level: 'info' | 'error', message: string, fields: Record<string, unknown>) => void

/**
 * The host agent: starts, reaps and watches instances. Runs until SIGTERM or SIGINT, then exits with 0 and leaves all
 * instances running. Exits with 13 when another agent has the folder or the socket.
 *
 * @example runAgent(['--folder', '/srv/shop/.sluice/agent', '--socket', '/srv/shop/.sluice/agent.sock'])
 */
export async function runAgent(argv: string[]): Promise<void> {
  const places = readArguments(argv)
  if (places === null) {
    console.error('usage: agent --folder DIR --socket PATH')
    process.exit(EXIT_USAGE)
  }
  const lock = lockFolder(places.folder)
  if (lock.kind === 'taken') exitRefused(agentRunning(lock.pid))
  // Closing the terminal it was started from must not end it.
  process.on('SIGHUP', () => {})
  const running = await startAgent(places)
  if (running.kind === 'failed') {
    lock.release()
    exitRefused(running.problem)
  }
  const { value } = running
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void endAgent({ ...value, lock, socket: places.socket, signal }))
  }
}

type Places = { folder: string; socket: string }
type RunningAgent = { supervisor: Supervisor; asker: Asker; server: Server; log: Log }

function readArguments(argv: string[]): Places | null {
  const { values } = parseArgs({
    args: argv,
    strict: false,
    options: { folder: { type: 'string' }, socket: { type: 'string' } },
  })
  if (typeof values.folder !== 'string' || typeof values.socket !== 'string') return null
  mkdirSync(values.folder, { recursive: true, mode: 0o700 })
  chmodSync(values.folder, 0o700)
  const socket = resolve(values.socket)
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
  return { folder: realpathSync(values.folder), socket }
}

async function startAgent({ folder, socket }: Places): Promise<Result<RunningAgent>> {
  const cleared = await clearSocket(socket)
  if (cleared.kind === 'failed') return cleared
  const statePath = join(folder, 'agent.json')
  const state = readState(statePath, hostBoot)
  if (state.kind === 'failed') return state
  const logFolder = join(folder, 'logs')
  mkdirSync(logFolder, { recursive: true, mode: 0o700 })
  const registry = new SetRegistry(statePath, state.value)
  const secrets = createSecrets({ agentFolder: folder, env: process.env })
  const log = openAgentLog(join(folder, 'agent.log'), secrets.redact)
  const report = oncePerMinute((error) => log('error', 'a step failed and will be tried again', { error }))
  const boot = randomBytes(6).toString('hex')
  const errors = new ErrorReader({
    path: join(folder, 'errors.json'),
    logFolder,
    boot,
    redact: secrets.redact,
  })
  const ledger = new InstanceLedger(registry)
  const common = { registry, ledger, errors, secrets, logFolder, agentEnv: process.env }
  const engine = createEngine(process.env)
  const processes = new ProcessRunner(common)
  const secretFiles = new SecretFiles({ agentFolder: folder, env: process.env })
  const images = createImageStore({ engine, credentials: credentialsIn(process.env), folder })
  const own = { engine, images, secretFiles, agentFolder: folder, report }
  const containers = new ContainerRunner({ ...common, ...own })
  const runner = new InstanceRunner({ registry, ledger, processes, containers })
  const use = new UseSampler()
  const asker = new Asker({
    secrets,
    agentEnv: process.env,
    runInContainer: (record, request, signal) => containers.runInContainer(record, request, signal),
  })
  const prober = new Prober({ registry, runner, asker })
  const quiesce = new QuiesceCommands({ runner, asker })
  const checks = new NamedChecks({ registry, asker })
  const watching = { errors, use, checks }
  const supervisor = new Supervisor({ registry, runner, prober, quiesce, ...watching, logFolder, report })
  const app = createControl({
    registry,
    runner,
    supervisor,
    asker,
    engine,
    containers,
    images,
    diagnose: (kept) => diagnoseEngine({ engine, images, folder, registry }, kept),
    ...watching,
    secrets,
    logFolder,
    boot,
    report,
  })
  // Recovered before it listens: whoever asks sees what really runs, never an agent that does not know yet.
  await recover({ registry, runner, containers, secrets })
  const server = await listenOnSocket(socket, app)
  supervisor.start()
  log('info', 'the agent listens', { socket, pid: process.pid, instances: registry.instances().length })
  return ok({ supervisor, asker, server, log })
}

type Ending = RunningAgent & { lock: FolderLock & { kind: 'held' }; socket: string; signal: string }

async function endAgent({ supervisor, asker, server, lock, socket, signal, log }: Ending): Promise<void> {
  const force = setTimeout(() => server.closeAllConnections(), CLOSE_LIMIT_MS)
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeIdleConnections()
  })
  clearTimeout(force)
  asker.close()
  await supervisor.stop()
  log('info', 'the agent ends, its instances run on', { signal })
  rmSync(socket, { force: true })
  lock.release()
  process.exit(0)
}

/** The loop tries again ten times a second: the same trouble is written down once a minute. */
function oncePerMinute(write: (error: string) => void): (error: unknown) => void {
  const last = { text: '', at: 0 }
  return (error) => {
    const text = String(error)
    if (text === last.text && Date.now() - last.at < 60_000) return
    Object.assign(last, { text, at: Date.now() })
    write(text)
  }
}

function openAgentLog(path: string, redact: (text: string) => string): Log {
  capLog(path, LOG_CAP_BYTES)
  const sink = createProcessLog('agent', destination({ dest: path, append: true, sync: true, mode: 0o600 }))
  const hide = ([name, value]: [string, unknown]) => [name, typeof value === 'string' ? redact(value) : value]
  return (level, message, fields) =>
    sink[level](Object.fromEntries(Object.entries(fields).map(hide)), message)
}

function exitRefused(of: Problem): never {
  console.error(`${of.code}: ${of.message}\n${of.remedy}`)
  process.exit(EXIT_REFUSED)
}
