import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { freePort } from '../free-port.ts'

const READY_MS = 60_000
const STOP_MS = 20_000
const POLL_MS = 20
const USER = 'sluice'
const DATABASE = 'postgres'
export const PASSWORD = 'p@ss/w%rd-43a1'

export type PostgresServer = {
  url: string
  port: number
  /** Runs SQL as the administrator. */
  sql(text: string): Promise<Record<string, unknown>[]>
  /** SIGKILL to the whole server, as if its machine had lost power, except that the disk keeps what it was told. */
  kill(): Promise<void>
  /** Orderly, connections are cut. */
  stop(): Promise<void>
  start(): Promise<void>
  pid(): number
  dispose(): Promise<void>
}

/** Why no server can be started here, or `null`. */
export const postgresMissing: string | null =
  findServer() === null
    ? 'PostgreSQL is not installed: npm run testbed'
    : process.getuid?.() === 0 && identity() === null
      ? 'this is root, and there is no user postgres or nobody to run the server as'
      : null

/** A server of its own in a scratch folder, with every commit synced, that listens on this machine only. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const found = findServer()
  if (found === null) throw new Error(postgresMissing ?? 'postgres is missing')
  const programs = dirname(realpathSync(found))
  const folder = mkdtempSync(join(tmpdir(), 'sluice-postgres-'))
  const runAs = process.getuid?.() === 0 ? identity() : null
  if (runAs !== null) chownSync(folder, runAs.uid, runAs.gid)
  initialise({ programs, folder, runAs })
  const port = await freePort()
  const url = `postgresql://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${DATABASE}`
  let child: ChildProcess | null = null
  const put = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=on',
    'logging_collector=off',
    ...settings,
  ]
  const launch = () =>
    spawn(
      join(programs, 'postgres'),
      ['-D', join(folder, 'data'), '-p', `${port}`, ...put.flatMap((setting) => ['-c', setting])],
      { ...runAs, cwd: folder, stdio: 'ignore' },
    )
  const end = async (signal: NodeJS.Signals) => {
    const last = child
    child = null
    if (last !== null) await ended(last, signal)
  }
  const start = async () => {
    child = await ready(launch, url)
  }
  const lastResort = () => child?.kill('SIGKILL')
  process.once('exit', lastResort)
  await start()
  return {
    url,
    port,
    sql: (text) => sqlOn(url, text),
    kill: async () => {
      const others = childrenOf(child)
      await end('SIGKILL')
      for (const pid of others) killed(pid)
    },
    stop: () => end('SIGINT'),
    start,
    pid: () => child?.pid ?? 0,
    dispose: async () => {
      await end('SIGINT')
      process.off('exit', lastResort)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

type RunAs = { uid: number; gid: number } | null

/** Debian keeps each version in a folder of its own, which is in nobody's path. */
function findServer(): string | null {
  const versions = '/usr/lib/postgresql'
  const newest = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, 'bin'))
    : []
  const files = [...(process.env.PATH ?? '').split(delimiter), ...newest].map((folder) =>
    join(folder, 'postgres'),
  )
  return files.find((file) => existsSync(file)) ?? null
}

/** PostgreSQL refuses to run as root. */
function identity(): { uid: number; gid: number } | null {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((which) => Number(spawnSync('id', [which, name]).stdout?.toString()))
    if (uid !== undefined && gid !== undefined && uid > 0 && gid > 0) return { uid, gid }
  }
  return null
}

function initialise({ programs, folder, runAs }: { programs: string; folder: string; runAs: RunAs }): void {
  const passwords = join(folder, 'password')
  writeFileSync(passwords, PASSWORD, { mode: 0o644 })
  const words = ['-D', join(folder, 'data'), '-U', USER, '--pwfile', passwords, '--auth', 'scram-sha-256']
  const made = spawnSync(
    join(programs, 'initdb'),
    [...words, '--encoding', 'UTF8', '--locale', 'C.UTF-8', '--no-sync'],
    {
      ...runAs,
      cwd: folder,
    },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr?.toString() ?? made.error?.message}`)
}

/** After a kill the helpers of the old server need a moment to notice; until then a new one refuses to start. */
async function ready(launch: () => ChildProcess, url: string): Promise<ChildProcess> {
  const deadline = performance.now() + READY_MS
  let child = launch()
  for (;;) {
    const answers = await sqlOn(url, 'SELECT 1').catch(() => null)
    if (answers !== null && child.exitCode === null) return child
    if (performance.now() > deadline) {
      await ended(child, 'SIGKILL')
      throw new Error('PostgreSQL did not start in time')
    }
    if (child.exitCode !== null || child.signalCode !== null) child = launch()
    await delay(POLL_MS)
  }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGCONT')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exited
  clearTimeout(late)
}

/** Those that have the connections: without their parent they would still take what is on its way. Linux tells them. */
function childrenOf(parent: ChildProcess | null): number[] {
  const list = `/proc/${parent?.pid}/task/${parent?.pid}/children`
  return existsSync(list) ? readFileSync(list, 'utf8').split(' ').filter(Boolean).map(Number) : []
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It went with its parent.
  }
}

async function sqlOn(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<Record<string, unknown>>(text)
    return rows
  } finally {
    await client.end().catch(() => undefined)
  }
}
