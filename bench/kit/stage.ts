import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import * as z from 'zod'
import { cleanupOf } from './cleanup.ts'
import type { DockerStand } from './docker.ts'
import { type Ended, endProcessesOf, freePort, run } from './processes.ts'
import { programUnderTest } from './program.ts'

const APP = fileURLToPath(new URL('../loss/app/server.mjs', import.meta.url))
const COMMAND_LIMIT_MS = 120_000
/** Of the containers, known to no registry. */
const IMAGE = 'bench'

const Status = z.object({
  services: z.tuple([
    z.object({
      stable: z.object({ version: z.string() }).nullable(),
      sets: z.array(z.object({ version: z.string(), role: z.string() })),
      rollout: z.object({
        outcome: z.string().nullable(),
        to: z.object({ version: z.string() }),
        weight: z.object({ observedPermille: z.number().nullable() }),
        trafficOffMs: z.number().nullable(),
        loss: z.object({ closed: z.number().optional() }),
        sentence: z.string(),
      }),
      timeline: z.array(z.object({ at: z.number(), kind: z.string() })),
    }),
  ]),
})
export type ServiceStatus = z.infer<typeof Status>['services'][0]

const Pids = z.object({ controller: Pid(), proxy: Pid(), agent: Pid() })
function Pid() {
  return z.object({ pid: z.int().positive() }).transform(({ pid }) => pid)
}
export type Pids = z.infer<typeof Pids>

/** A folder with releases of the bench app and a `sluice.yaml`, driven by public commands only. */
export type Stage = {
  folder: string
  url: string
  addRelease(version: string, behaviour?: { failShare: number }): Promise<void>
  /** Ends with another code than one of those expected: throws what the command printed. */
  sluice(args: readonly string[], ...expectedCodes: number[]): Promise<Ended>
  status(): Promise<ServiceStatus>
  pids(): Pids
  clear(): Promise<void>
}

/** Of the file, in place of what it has or beside it. */
type Settings = Record<string, unknown> & { run?: Record<string, unknown> }

/** `app` is the program of all releases, `engine` runs them as containers. */
export async function setStage(
  settings: Settings,
  { app = APP, engine = null }: { app?: string; engine?: DockerStand | null } = {},
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const port = await freePort()
  const config = join(folder, 'sluice.yaml')
  writeFileSync(config, stringify(configOf(settings, { folder, port, isContainer: engine !== null })))
  for (const name of ['requests', 'jobs']) mkdirSync(join(folder, name))
  const program = programUnderTest()

  async function sluice(args: readonly string[], ...expected: number[]): Promise<Ended> {
    // `--version` stands alone; every command works on the file of this folder.
    const words = args[0]?.startsWith('--') ? args : [...args, '--config', config]
    const env = { ...process.env, ...engine?.env }
    const ended = await run(process.execPath, [program.file, ...words], { env, limitMs: COMMAND_LIMIT_MS })
    const codes = expected.length === 0 ? [0] : expected
    if (codes.includes(ended.code)) return ended
    const text = `${ended.out}${ended.err}`.trim().split('\n').slice(-12).join('\n')
    throw new Error(`sluice ${args.join(' ')} ended with ${ended.code}, not ${codes.join(' or ')}:\n${text}`)
  }

  async function clear(): Promise<void> {
    await sluice(['down', '--yes', '--quiet']).catch(() => undefined)
    await endProcessesOf(folder)
    rmSync(folder, { recursive: true, force: true })
  }

  return {
    folder,
    url: `http://127.0.0.1:${port}`,
    addRelease: async (version, { failShare } = { failShare: 0 }) => {
      const files = {
        'server.mjs': readFileSync(app, 'utf8'),
        'release.json': JSON.stringify({ version, failShare }),
      }
      if (engine !== null) await engine.importImage(`${IMAGE}:${version}`, files)
      else writeRelease(join(folder, 'releases', version), files)
    },
    sluice,
    status: async () => Status.parse(JSON.parse((await sluice(['status', '--json'])).out)).services[0],
    pids: () => Pids.parse(JSON.parse(readFileSync(join(folder, '.sluice/runtime.json'), 'utf8'))),
    clear: cleanupOf(clear),
  }
}

function writeRelease(release: string, files: Record<string, string>): void {
  mkdirSync(release, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(release, name), text)
}

type Place = { folder: string; port: number; isContainer: boolean }

const configOf = ({ run: ownRun, ...settings }: Settings, { folder, port, isContainer }: Place) => ({
  service: 'bench',
  run: { replicas: 2, ...(isContainer ? containerIn(folder) : processIn(folder)), ...ownRun },
  listen: `127.0.0.1:${port}`,
  health: { path: '/up', interval: '200ms', successes: 2, deadline: '20s' },
  ...settings,
})

const processIn = (folder: string) => ({
  artifact: './releases/{{version}}',
  command: [process.execPath, 'server.mjs', '--port', '{{port}}'],
  env: { BENCH_REQUESTS: join(folder, 'requests'), BENCH_JOBS: join(folder, 'jobs') },
})

const containerIn = (folder: string) => ({
  image: `${IMAGE}:{{version}}`,
  port: 3000,
  command: ['/usr/local/bin/node', '/app/server.mjs', '--port', '{{port}}'],
  volumes: [`${folder}/requests:/requests`, `${folder}/jobs:/jobs`],
  env: { BENCH_HOST: '0.0.0.0', BENCH_REQUESTS: '/requests', BENCH_JOBS: '/jobs' },
})
