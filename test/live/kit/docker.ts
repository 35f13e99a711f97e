import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findProgram } from '../../../src/adapters/tools/find-program.ts'
import { bridgeHere, type DockerNetwork } from './docker-network.ts'
import { eventually } from './settle.ts'

type Answer = { status: number; body: string }
/** By name, in `/app`. */
type ImageFiles = Record<string, string | Buffer>
export type DockerStand = {
  folder: string
  socket: string
  /** Of the machine that it stands for, where that is another one. */
  addresses: readonly string[]
  /** For an agent or a `docker` command that shall use this engine. */
  env: { DOCKER_HOST: string }
  /** Asks the engine. `body` is sent as JSON, a process's output as a tar. */
  api(method: string, path: string, body?: unknown): Promise<Answer>
  /** A new image: Node, its libraries and `/app` with these files. Answers with its id. */
  importImage(name: string, files: ImageFiles, changes?: readonly string[]): Promise<string>
  /** Ids of all containers, stopped ones too. */
  containers(): Promise<string[]>
  /** Ids of those that run. */
  running(): Promise<string[]>
  /** Ends dockerd; `kill`: without a chance to tidy up or to stop its containers. */
  stop(how?: 'stop' | 'kill'): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** What the example image runs when nobody says otherwise. */
const CHANGES = ['CMD ["/usr/local/bin/node","/app/app.mjs"]', 'WORKDIR /app']
const STOP_LIMIT_MS = 45_000

/** Why no engine can be started here; `null` when one can. */
export function whyNoDocker(): string | null {
  if (process.platform !== 'linux') return 'a Docker Engine of its own needs Linux'
  if (process.getuid?.() !== 0) return 'a Docker Engine of its own needs root'
  const missing = ['dockerd', 'ip', 'tar', 'ldd', 'nsenter', 'openssl'].find(
    (command) => findProgram(command) === null,
  )
  return missing === undefined ? null : `${missing} is not installed`
}

export type DockerOptions = {
  /** Words for dockerd beside those that give it a place of its own. */
  words?(place: { folder: string; addresses: readonly string[] }): readonly string[]
  network?(suffix: string): DockerNetwork
  /** What it keeps lies in memory, and has no more room than this. */
  dataBytes?: number
}

/**
 * A real Docker Engine beside whatever this machine has: a folder, a socket and a bridge of its own, no rule of a firewall,
 * nothing from outside. Containers are reached at their own addresses and at published ports.
 */
export async function startDocker({
  words = () => [],
  network: networkOf = bridgeHere,
  dataBytes,
}: DockerOptions = {}): Promise<DockerStand> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-docker-'))
  const socket = path.join(folder, 'docker.sock')
  const network = networkOf(path.basename(folder).slice(-6))
  const { addresses } = network
  const more = words({ folder, addresses })
  if (dataBytes !== undefined) mountMemory(path.join(folder, 'data'), dataBytes)
  let engine: ChildProcess | null = null

  const api: DockerStand['api'] = (method, at, body) => ask(socket, { method, at, body })
  const start = async (): Promise<void> => {
    // Its containerd dies with it, a moment later; a dockerd that finds it dying waits for it in vain.
    for (const file of ['docker.pid', 'exec/containerd/containerd.pid'])
      rmSync(path.join(folder, file), { force: true })
    engine = spawnEngine({ folder, socket, network, more })
    const child = engine
    await eventually('the engine answers', async () => {
      if (child.exitCode !== null)
        throw new Error(readFileSync(path.join(folder, 'dockerd.log'), 'utf8').slice(-2000))
      return (await api('GET', '/_ping').catch(() => null))?.status === 200
    })
  }
  const stop: DockerStand['stop'] = async (how = 'stop') => {
    if (engine === null) return
    await endEngine(engine, how)
    engine = null
  }
  const containers = async () => idsOf(await api('GET', '/containers/json?all=1'))
  await start()
  return {
    folder,
    socket,
    addresses,
    env: { DOCKER_HOST: `unix://${socket}` },
    api,
    importImage: (name, files, changes = CHANGES) => importImage(socket, folder, { name, files, changes }),
    containers,
    running: async () => idsOf(await api('GET', '/containers/json')),
    stop,
    start,
    close: async () => {
      if (engine === null) await start()
      for (const id of await containers()) await api('DELETE', `/containers/${id}?force=1&v=1`)
      await stop()
      for (const mount of mountsBelow(folder)) execFileSync('umount', ['-l', mount])
      network.remove()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function mountMemory(folder: string, bytes: number): void {
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder])
}

type Place = { folder: string; socket: string; network: DockerNetwork; more: readonly string[] }

function spawnEngine({ folder, socket, network: { bridge, before }, more }: Place): ChildProcess {
  const log = openSync(path.join(folder, 'dockerd.log'), 'a')
  const own = [
    ['--data-root', path.join(folder, 'data')],
    ['--exec-root', path.join(folder, 'exec')],
    ['--pidfile', path.join(folder, 'docker.pid')],
    ['--host', `unix://${socket}`],
    ['--bridge', bridge],
  ]
  const quiet = ['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false']
  const [program = 'dockerd', ...words] = [...before, 'dockerd', ...own.flat(), ...quiet, ...more]
  return spawn(program, words, { stdio: ['ignore', log, log] })
}

async function endEngine(engine: ChildProcess, how: 'stop' | 'kill'): Promise<void> {
  const hasEnded = () => engine.exitCode !== null || engine.signalCode !== null
  engine.kill(how === 'kill' ? 'SIGKILL' : 'SIGTERM')
  const deadline = setTimeout(() => engine.kill('SIGKILL'), STOP_LIMIT_MS)
  await eventually('dockerd has ended', hasEnded)
  clearTimeout(deadline)
}

const mountsBelow = (folder: string): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((mount) => mount.startsWith(`${folder}/`))
    .reverse()

const idsOf = ({ body }: Answer): string[] => {
  const found: { Id: string }[] = JSON.parse(body)
  return found.map(({ Id }) => Id)
}

type NewImage = { name: string; files: ImageFiles; changes: readonly string[] }

async function importImage(
  socket: string,
  folder: string,
  { name, files, changes }: NewImage,
): Promise<string> {
  const root = mkdtempSync(path.join(folder, 'image-'))
  for (const place of ['app', 'tmp', 'etc', 'run']) mkdirSync(path.join(root, place))
  for (const [file, text] of Object.entries(files))
    writeFileSync(path.join(root, 'app', file), text, { mode: 0o755 })
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).match(/\/[^ ]+/g) ?? []
  const paths = [process.execPath, ...libraries].map((one) => one.slice(1))
  const rename = `s,^${process.execPath.slice(1)}$,usr/local/bin/node,`
  const words = [
    '--create',
    '--dereference',
    '--transform',
    rename,
    '-C',
    '/',
    ...paths,
    '-C',
    root,
    ...readdirSync(root),
  ]
  const [repo, tag = 'latest'] = name.split(/:(?=[^/]*$)/)
  const query = new URLSearchParams([
    ['fromSrc', '-'],
    ['repo', repo ?? name],
    ['tag', tag],
    ...changes.map((change) => ['changes', change]),
  ])
  const tar = spawn('tar', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const { body } = await ask(socket, { method: 'POST', at: `/images/create?${query}`, body: tar })
  const id = /sha256:[0-9a-f]{64}/.exec(body)?.[0]
  if (id === undefined) throw new Error(`image ${name} was not imported: ${body}`)
  return id
}

function ask(
  socketPath: string,
  { method, at, body }: { method: string; at: string; body?: unknown },
): Promise<Answer> {
  const tar = isProcess(body) ? body.stdout : null
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': tar === null ? 'application/json' : 'application/x-tar' }
    const asked = request({ socketPath, method, path: at, headers, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
    })
    asked.on('error', reject)
    if (tar !== null) tar.pipe(asked)
    else asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const isProcess = (body: unknown): body is ChildProcess =>
  typeof body === 'object' && body !== null && 'stdout' in body && 'pid' in body
