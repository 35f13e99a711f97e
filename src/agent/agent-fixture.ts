import { type ChildProcess, spawn } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Instance } from '../core/shared/instance.ts'
import { Observation } from '../core/shared/observation.ts'
import type { HealthProbe, SetSpec } from '../core/shared/set-spec.ts'
import { AgentState } from './agent-state.ts'
import { allProcesses } from './processes/process-table.ts'

/** A real agent in a scratch folder, for the live tests beside it. */
const WAIT_MS = 60_000
const LOOK_EVERY_MS = 20
const AGENT = fileURLToPath(new URL('main.ts', import.meta.url))

/** Serves health; what else it does is told by its environment and by requests. */
const APP = `
import { createServer } from 'node:http'
import { execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
// CPU time, not time: on a busy machine one is much less than the other.
const BURN = 'const from = process.cpuUsage(); for (let ms = 0; ms < MS; ) { const { user, system } = process.cpuUsage(from); ms = (user + system) / 1000 }'
const held = []
const { MODE, PORT, RELEASE, TOKEN, CHILD_FILE } = process.env
console.log('hello from ' + RELEASE)
if (TOKEN) console.log('token=' + TOKEN + ' json=' + JSON.stringify({ TOKEN }))
if (MODE === 'exit') process.exit(3)
if (MODE === 'stubborn') {
  process.on('SIGTERM', () => console.log('ignored SIGTERM'))
  spawn('sh', ['-c', 'trap "" TERM; while :; do sleep 0.2; done'], { stdio: 'ignore' })
}
process.on('SIGUSR1', () => console.log('quiesced'))
let sick = MODE === 'sick'
let dead = false
let dry = false
createServer((request, response) => {
  const url = request.url
  if (url === '/env') return response.end(JSON.stringify({ env: process.env, cwd: process.cwd(), argv: process.argv.slice(2) }))
  if (url === '/crash') process.exit(7)
  if (url.startsWith('/fail/')) console.error('Error: order ' + url.slice(6) + ' of ' + TOKEN + ' is lost\\n    at pay (/srv/shop/pay.js:7:1)')
  if (url === '/flood') for (let line = 0; line < 60_000; line += 1) console.log('INFO ' + 'x'.repeat(200))
  if (url === '/say') console.log('said after the agent died')
  const [, does, amount] = url.split('/')
  if (does === 'burn') new Function(BURN.replace('MS', amount))()
  if (does === 'burn-in-child') execFileSync(process.execPath, ['-e', BURN.replace('MS', amount)])
  if (does === 'hold') held.push(Buffer.alloc(Number(amount), 1))
  if (does === 'write') writeFileSync('written', Buffer.alloc(Number(amount), 1), { flush: true })
  if (url === '/toggle') sick = !sick
  if (url === '/die') dead = true
  if (url === '/dry') dry = true
  if (url === '/livez' && dead) return response.writeHead(500).end('deadlock')
  if (url === '/queue' && dry) return response.writeHead(503).end('no workers')
  if (url === '/up' && MODE === 'redirect') return response.writeHead(302, { location: '/login' }).end()
  if (url === '/up' && sick) return response.writeHead(503).end('warming up\\nwith ' + TOKEN)
  response.end('ok')
}).listen(MODE === 'wrong-port' ? 0 : Number(PORT), '127.0.0.1')
`

type Answer = { status: number; body: unknown }
export type AgentFixture = {
  folder: string
  agentFolder: string
  socket: string
  launch(options?: { env?: Record<string, string>; folder?: string; socket?: string }): Promise<ChildProcess>
  call(method: string, path: string, body?: unknown): Promise<Answer>
  spec(release: string, more?: Partial<SetSpec>): SetSpec
  put(spec: SetSpec, replicas: number, sequence: number): Promise<Answer>
  remove(release: string, sequence: number): Promise<Answer>
  observe(): Promise<Observation>
  until(holds: (instances: Instance[]) => boolean): Promise<Instance[]>
  ask(port: number, path: string): Promise<string>
  /** What an agent wrote to stderr so far. */
  errorsOf(agent: ChildProcess): string
  readState(): AgentState
  writeState(state: AgentState): void
  close(): Promise<void>
}

export const HEALTH: HealthProbe = {
  path: '/up',
  intervalMs: 100,
  timeoutMs: 1000,
  successes: 2,
  failures: 2,
  deadlineMs: 20_000,
}

/** `{ epoch: 1, sequence }` */
export const tokenOf = (sequence: number) => ({ epoch: 1, sequence, rollout: null })

export async function createAgentFixture(): Promise<AgentFixture> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-agent-')))
  const agentFolder = join(folder, 'agent')
  const socket = join(folder, 'agent.sock')
  const app = join(folder, 'app')
  const agents: ChildProcess[] = []
  const said = new Map<ChildProcess, string>()
  mkdirSync(app)
  writeFileSync(join(app, 'app.mjs'), APP)

  const call: AgentFixture['call'] = (method, path, body) => callSocket(socket, { method, path, body })
  const launch: AgentFixture['launch'] = async ({
    env = {},
    folder: at = agentFolder,
    socket: on = socket,
  } = {}) => {
    const agent = spawnAgent({ folder: at, socket: on, env })
    agents.push(agent)
    agent.stderr?.on('data', (chunk) => said.set(agent, `${said.get(agent) ?? ''}${chunk}`))
    await waitFor(async () => agent.exitCode !== null || (await isAnswering(on, agent.pid)))
    return agent
  }
  const observe = async () => Observation.parse((await call('GET', '/services/shop')).body)
  const readState = () => AgentState.parse(JSON.parse(readFileSync(join(agentFolder, 'agent.json'), 'utf8')))
  return {
    folder,
    agentFolder,
    socket,
    launch,
    call,
    observe,
    readState,
    errorsOf: (agent) => said.get(agent) ?? '',
    writeState: (state) => writeFileSync(join(agentFolder, 'agent.json'), JSON.stringify(state)),
    ask: (port, path) => askPort(port, path),
    spec: (release, more = {}) => ({
      ...specOf(release, app),
      ...more,
      env: { RELEASE: release, ...more.env },
    }),
    put: (spec, replicas, sequence) =>
      call('PUT', setPath(spec.release), { token: tokenOf(sequence), spec, replicas }),
    remove: (release, sequence) =>
      call('DELETE', `${setPath(release)}?token=${encodeURIComponent(JSON.stringify(tokenOf(sequence)))}`),
    until: async (holds) => {
      let seen: Instance[] = []
      await waitFor(
        async () => {
          seen = (await observe()).instances
          return holds(seen)
        },
        () => JSON.stringify(seen),
      )
      return seen
    },
    close: async () => {
      // The agents end first, so that they start nothing again; then all that they started, also what they had no time to note.
      for (const agent of agents) agent.kill('SIGKILL')
      for (const agent of agents) await exitCodeOf(agent)
      await waitFor(() => {
        const left = startedIn(folder)
        for (const pid of left) killQuietly(pid)
        return left.length === 0
      })
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const setPath = (release: string): string => `/sets/shop/${encodeURIComponent(release)}`

const specOf = (release: string, folder: string): SetSpec => ({
  service: 'shop',
  release,
  version: '1.0.0',
  command: [process.execPath, 'app.mjs', '--port', '{{port}}'],
  folder,
  env: {},
  secrets: [],
  health: HEALTH,
  stopGraceMs: 3000,
})

export function spawnAgent({
  folder,
  socket,
  env,
}: {
  folder: string
  socket: string
  env: Record<string, string>
}): ChildProcess {
  const code = `import { runAgent } from ${JSON.stringify(AGENT)}; await runAgent(process.argv.slice(1))`
  const args = ['--input-type=module', '--eval', code, '--', '--folder', folder, '--socket', socket]
  return spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: { ...process.env, ...env },
  })
}

async function isAnswering(socket: string, pid: number | undefined): Promise<boolean> {
  const answer = await callSocket(socket, { method: 'GET', path: '/livez' }).catch(() => null)
  return JSON.stringify(answer?.body ?? null).includes(`"pid":${pid},`)
}

function callSocket(
  socketPath: string,
  { method, path, body }: { method: string; path: string; body?: unknown },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, method, path, agent: false, signal: AbortSignal.timeout(WAIT_MS) },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }))
      },
    )
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

async function askPort(port: number, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(WAIT_MS) })
  return await answer.text()
}

/** Looks again and again until it holds; fails with the last state seen. */
export async function waitFor(
  holds: () => Promise<boolean> | boolean,
  last: () => string = () => '',
): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not reached within ${WAIT_MS} ms: ${last()}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** Exit code of a process that is ending. */
export async function exitCodeOf(child: ChildProcess): Promise<number | null> {
  await waitFor(() => child.exitCode !== null || child.signalCode !== null)
  return child.exitCode
}

/** Instances stand in the folder of the fixture, and so does what they started. */
function startedIn(folder: string): number[] {
  return allProcesses().flatMap(({ pid }) => (cwdOf(pid).startsWith(folder) ? pid : []))
}

/** Empty when the process is gone. */
export function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
