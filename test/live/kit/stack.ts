import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import { RolloutAnswer } from '../../../src/cli/answers.ts'
import { type Client, createClient } from '../../../src/cli/client.ts'
import { type PartName, type Runtime, readRuntime } from '../../../src/cli/controller/runtime-file.ts'
import type { Outcome } from '../../../src/core/rollout/outcome.ts'
import { type RolloutView, ServiceView } from '../../../src/core/rollout/view/view.ts'
import { RouterState } from '../../../src/core/shared/router-state.ts'
import { freePort } from '../../../src/testkit/free-port.ts'
import type { Behaviour } from './behaviour.ts'
import { type Entry, readJournal } from './journal.ts'
import { isAlive, killHard, processesOf } from './processes.ts'
import { eventually, Hopeless } from './settle.ts'

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))
export const APP = fileURLToPath(new URL('app/server.js', import.meta.url))
export const STREAM = 'thing.local'
const OUTCOME_LIMIT_MS = 100_000
/** The controller reads the whole rollout for each answer: asked every 20 ms it would be busy with little else. An outcome stays. */
const OUTCOME_POLL_MS = 100
/** Of one request of a test; what hangs for longer is asked again. */
const ASK_LIMIT_MS = 20_000

export type StackOptions = {
  versions: Record<string, Behaviour>
  /** Keys of sluice.yaml that differ from the quick settings below; whole sections are replaced. */
  file?: Record<string, unknown>
}

type Answered = { code: number; out: string; err: string }

/** One installation of the product in a temporary folder, with real processes; removed when the test ends. */
export type Stack = {
  folder: string
  state: string
  port: number
  url: string
  webSocketUrl: string
  client: Client
  /** Starts the controller as `sluice up` does; `preload` is imported before it. Resolves when it is ready. */
  startController(options?: StartOptions): Promise<ChildProcess>
  /** The command line; resolves with its exit code and what it printed. */
  cli(...words: string[]): Promise<Answered>
  /** An operation; throws when it is refused. */
  call<T>(operation: string, input: object, output: z.ZodType<T>): Promise<T>
  /** The code with which an operation is refused, or `null` when it is not. */
  refusal(operation: string, input: object): Promise<string | null>
  view(): Promise<ServiceView>
  /** Deploys and waits for the outcome. */
  deploy(version: string): Promise<RolloutView>
  /** Asks for a deploy and returns the id of the rollout. */
  begin(version: string, more?: object): Promise<string>
  /** Waits until the rollout has its outcome. */
  outcome(rollout: string): Promise<Outcome>
  rollout(id: string): Promise<z.infer<typeof RolloutAnswer>>
  /** Waits until the data plane gives the version this share. The stage with this share begins a little later. */
  weight(version: string, permille: number): Promise<void>
  /** Waits until the rollout is in the stage with this share: the share is confirmed and its observation has begun. */
  stage(rollout: string, permille: number): Promise<void>
  router(): Promise<RouterState>
  routerCall(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  agentCall(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  pid(part: PartName): number
  /** SIGKILL to a part, and waits until it is gone. */
  kill(part: PartName): Promise<void>
  /** Pids of the instances of all versions that run from this folder. */
  instances(): number[]
  journal(): Entry[]
  writeVersion(version: string, behaviour: Behaviour): void
  writeFile(more: Record<string, unknown>): void
  get(path: string): Promise<{ status: number; body: string; version: string }>
}

export type StartOptions = { preload?: string; env?: Record<string, string>; wait?: boolean }

/**
 * Quick times where something passes by itself, generous ones where something is waited for, and no judgement of latency:
 * the machines that run tests are slow at random.
 */
const quickFile = (port: number) => ({
  service: 'thing',
  run: { artifact: './releases/{{version}}', command: 'node server.js', replicas: 2, stopGrace: '5s' },
  listen: `127.0.0.1:${port}`,
  health: quickHealth,
  drain: { requests: '30s', websockets: '1s' },
  strategy: { canary: { steps: quickSteps, watch: '500ms', hold: '200ms' } },
  analysis: quickAnalysis,
  prober: 'off',
})
export const quickHealth = { path: '/up', interval: '50ms', timeout: '5s', successes: 2, deadline: '40s' }
/** For versions that never become ready; a good one needs longer on a slow machine. */
export const impatientHealth = { ...quickHealth, deadline: '8s' }
export const quickSteps = [
  { weight: '25%', pause: '400ms' },
  { weight: '60%', pause: '400ms' },
  { weight: '100%' },
]
export const quickAnalysis = {
  interval: '100ms',
  minRequests: 1,
  compare: { errors: 'off', latency: 'off' },
  critical: { errorRate: '5%', errorPointsOverStable: 'off', p99: 'off', p95TimesStable: 'off' },
  warning: {
    errorRate: 'off',
    errorPointsOverStable: 'off',
    p99: 'off',
    p95TimesStable: 'off',
    throughput: 'off',
    cpu: 'off',
    memory: 'off',
    disk: 'off',
  },
}

/** `atEnd` takes the removal of a stack that outlives one test. */
export async function createStack(
  { versions, file = {} }: StackOptions,
  atEnd: (remove: () => Promise<void>) => void = onTestFinished,
): Promise<Stack> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-live-'))
  atEnd(() => removeAll(folder))
  const port = await freePort()
  const stack = stackOver({ folder, port })
  for (const [version, behaviour] of Object.entries(versions)) stack.writeVersion(version, behaviour)
  stack.writeFile(file)
  return stack
}

/** A stack whose controller runs and whose first version is stable. */
export async function startStack(options: StackOptions & { stable: string }): Promise<Stack> {
  const stack = await createStack(options)
  await stack.startController()
  const first = await stack.deploy(options.stable)
  if (first.outcome !== 'promoted')
    throw new Error(`the first release ended as ${first.outcome}: ${first.reason.message}`)
  return stack
}

function stackOver({ folder, port }: { folder: string; port: number }): Stack {
  const state = path.join(folder, '.sluice')
  const client = createClient(state)
  const call: Stack['call'] = async (operation, input, output) => {
    const answer = await client.call(operation, input, output)
    if (answer.kind === 'failed')
      throw new Error(
        `${operation}: ${answer.problem.code}: ${answer.problem.message} ${answer.problem.cause ?? ''}`,
      )
    return answer.value
  }
  const view = () => call('get_service', {}, ServiceView)
  const begin: Stack['begin'] = async (version, more = {}) => {
    const { rollout } = await call(
      'deploy',
      { version, ...more },
      z.object({ rollout: z.string().nullable() }),
    )
    if (rollout === null) throw new Error(`there was nothing to do for ${version}`)
    return rollout
  }
  const rollout: Stack['rollout'] = (id) => call('get_rollout', { id }, RolloutAnswer)
  const outcome: Stack['outcome'] = (id) =>
    eventually(
      `an outcome of ${id}`,
      async () => (await rollout(id)).rollout.outcome,
      OUTCOME_LIMIT_MS,
      OUTCOME_POLL_MS,
    )
  const pid: Stack['pid'] = (part) => pidIn(readRuntime(state), part)
  const routerCall: Stack['routerCall'] = (method, url, body) =>
    callSocket(path.join(state, 'proxy.sock'), { method, url, body })
  const agentCall: Stack['agentCall'] = (method, url, body) =>
    callSocket(path.join(state, 'agent.sock'), { method, url, body })
  const router = async (): Promise<RouterState> =>
    RouterState.parse((await routerCall('GET', `/services/${STREAM}/state`)).body)
  return {
    folder,
    state,
    port,
    client,
    call,
    view,
    begin,
    rollout,
    outcome,
    pid,
    router,
    routerCall,
    agentCall,
    url: `http://127.0.0.1:${port}`,
    webSocketUrl: `ws://127.0.0.1:${port}/live`,
    startController: (options) => startController({ folder, state, client }, options ?? {}),
    cli: (...words) => runCli(folder, words),
    refusal: async (operation, input) => {
      const answer = await client.call(operation, input, z.unknown())
      return answer.kind === 'failed' ? answer.problem.code : null
    },
    deploy: async (version) => {
      const id = await begin(version)
      await outcome(id)
      return (await rollout(id)).rollout
    },
    stage: async (id, permille) => {
      await eventually(`the stage at ${permille / 10}% of ${id}`, async () => {
        const { weight, steps } = (await rollout(id)).rollout
        const isObserving = steps.some(({ kind, state }) => kind === 'observe' && state === 'active')
        return isObserving && weight.observedPermille === permille
      })
    },
    weight: async (version, permille) => {
      await eventually(`${version} at ${permille / 10}%`, async () =>
        (await router()).sets.some((set) => set.version === version && set.weightPermille === permille),
      )
    },
    kill: async (part) => {
      const victim = pid(part)
      killHard(victim)
      await eventually(`the end of the ${part}`, () => !isAlive(victim))
    },
    instances: () =>
      processesOf(path.join(state, 'artifacts'))
        .filter(({ cwd }) => cwd.startsWith(state))
        .map((found) => found.pid),
    journal: () => readJournal(path.join(state, 'state.db'), STREAM),
    writeVersion: (version, behaviour) => {
      const release = path.join(folder, 'releases', version)
      mkdirSync(release, { recursive: true })
      cpSync(APP, path.join(release, 'server.js'))
      writeFileSync(path.join(release, 'package.json'), '{ "type": "module" }\n')
      writeFileSync(path.join(release, 'behaviour.json'), JSON.stringify(behaviour))
    },
    // JSON is YAML, too.
    writeFile: (more) =>
      writeFileSync(
        path.join(folder, 'sluice.yaml'),
        JSON.stringify({ ...quickFile(port), ...more }, null, 2),
      ),
    get: async (url) => {
      const { status, text, headers } = await ask({ host: '127.0.0.1', port, path: url })
      return { status, body: text.trim(), version: String(headers['x-shop-version'] ?? '') }
    },
  }
}

function pidIn(runtime: Runtime | null, part: PartName): number {
  const pid = runtime?.[part]?.pid
  if (pid === undefined) throw new Error(`runtime.json names no ${part}`)
  return pid
}

async function startController(
  { folder, state, client }: Pick<Stack, 'folder' | 'state' | 'client'>,
  { preload, env = {}, wait = true }: StartOptions,
): Promise<ChildProcess> {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const log = openSync(path.join(state, 'controller.log'), 'a', 0o600)
  const imports = preload === undefined ? [] : ['--import', preload]
  const words = [
    ...imports,
    MAIN,
    'internal-controller',
    '--folder',
    state,
    '--config',
    path.join(folder, 'sluice.yaml'),
  ]
  const child = spawn(process.execPath, words, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  if (wait)
    await eventually('a controller that is ready', async () => {
      if (child.exitCode !== null)
        throw new Hopeless(
          `the controller ended with ${child.exitCode}: ${readFileSync(path.join(state, 'controller.log'), 'utf8').slice(-2000)}`,
        )
      return (
        readRuntime(state)?.controller?.pid === child.pid && (await client.probe('/readyz/store')) === 200
      )
    })
  return child
}

async function runCli(folder: string, words: readonly string[]): Promise<Answered> {
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    texts.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    texts.err += text
  })
  const code = await new Promise<number>((resolve) => {
    child.once('close', (status) => resolve(status ?? -1))
  })
  return { code, ...texts }
}

type SocketCall = { method: string; url: string; body?: unknown }

async function callSocket(
  socketPath: string,
  { method, url, body }: SocketCall,
): Promise<{ status: number; body: unknown }> {
  const sent = body === undefined ? undefined : JSON.stringify(body)
  const { status, text } = await ask({ socketPath, method, path: url }, sent)
  return { status, body: JSON.parse(text) }
}

type Asked = { status: number; text: string; headers: IncomingHttpHeaders }

/** On a connection of its own: a kept one could belong to somebody who was killed since. */
export function ask(options: RequestOptions, body?: string): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ASK_LIMIT_MS)
    const call = request({ ...options, agent: false, signal }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }))
    })
    call.on('error', reject)
    call.end(body)
  })
}

/** Everything that runs from the folder ends, by its pid; again and again, because a part may be starting another one just now. */
async function removeAll(folder: string): Promise<void> {
  await endAll(folder)
  rmSync(folder, { recursive: true, force: true })
}

/** Kills whatever of a stack still runs, and waits for its end. */
export async function endAll(folder: string): Promise<void> {
  await eventually(`the end of all processes of ${folder}`, () => {
    const left = processesOf(folder)
    for (const { pid } of left) killHard(pid)
    return left.length === 0
  })
}
