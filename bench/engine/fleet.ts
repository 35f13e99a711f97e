import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StoreRow } from '../../src/ports/store.ts'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../src/testkit/servers/postgres.test.kit.ts'
import { cleanupOf } from '../kit/cleanup.ts'
import { type Measurement, type Order, Report, type Setup, type StorePlace } from './messages.ts'
import { openPlace } from './place.ts'
import { copyOf, makeTemplate, type Template } from './template.ts'

const PROCESS = fileURLToPath(new URL('process.ts', import.meta.url))
const REPORT_LIMIT_MS = 400_000

/** A folder, one PostgreSQL, and the rollout that all others are copies of. */
export type Fleet = {
  /** `null` where no server can be started; `missing` says why. */
  server: PostgresServer | null
  missing: string
  /** A new place with this many rollouts in progress. */
  place(kind: StorePlace['kind'], streams: number): Promise<StorePlace>
  start(store: StorePlace, streams: number): ControllerProcess
  end(): Promise<void>
}

export async function gatherFleet(): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-engine-'))
  const template = await makeTemplate()
  const file = join(folder, 'template.json')
  writeFileSync(file, JSON.stringify(template))
  const server = postgresMissing === null ? await startPostgres() : null
  const children = new Set<ControllerProcess>()
  let places = 0
  return {
    server,
    missing: postgresMissing ?? '',
    place: async (kind, streams) => {
      places += 1
      const store = placeOf(kind, { folder, server, number: places })
      await fillPlace(store, template, streams)
      return store
    },
    start: (store, streams) => {
      const child = startProcess({ template: file, streams, store })
      children.add(child)
      return child
    },
    end: cleanupOf(async () => {
      await Promise.all([...children].map((child) => child.kill()))
      await server?.dispose()
      rmSync(folder, { recursive: true, force: true })
    }),
  }
}

function placeOf(
  kind: StorePlace['kind'],
  { folder, server, number }: { folder: string; server: PostgresServer | null; number: number },
): StorePlace {
  // A folder has one owner, so each state has its own.
  if (kind === 'sqlite') return { kind, file: join(folder, `${number}`, 'state.db') }
  if (server === null) throw new Error(postgresMissing ?? 'PostgreSQL is missing')
  return { kind, url: server.url, schema: `bench_${number}` }
}

async function fillPlace(place: StorePlace, template: Template, streams: number): Promise<void> {
  const store = await openPlace(place)
  const filled = await store.fill(copies(template.rows, streams))
  if (filled.kind === 'failed') throw new Error(filled.problem.message)
  await store.close()
}

function* copies(rows: readonly StoreRow[], streams: number): Iterable<StoreRow> {
  for (let index = 0; index < streams; index += 1) yield* copyOf(rows, index)
}

export type ControllerProcess = {
  pid: number
  /** The next report of this kind, or the one that came already. */
  report<K extends Report['kind']>(kind: K): Promise<Extract<Report, { kind: K }>>
  measure(forMs: number): Promise<Measurement>
  /** Orderly: leases are given back. */
  end(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
}

function startProcess(setup: Setup): ControllerProcess {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', PROCESS, JSON.stringify(setup)],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  )
  const exited = once(child, 'exit')
  const reports: Report[] = []
  child.on('message', (message) => reports.push(Report.parse(message)))
  const order = (what: Order): unknown => child.send(what)
  const gone = (): boolean => child.exitCode !== null || child.signalCode !== null
  const report: ControllerProcess['report'] = (kind) => nextReport(child, reports, kind)
  return {
    pid: child.pid ?? 0,
    report,
    measure: (forMs) => {
      order({ kind: 'measure', forMs })
      return report('measured')
    },
    end: async () => {
      if (!gone()) order({ kind: 'end' })
      await exited
    },
    kill: async () => {
      child.kill('SIGKILL')
      if (!gone()) await exited
    },
  }
}

async function nextReport<K extends Report['kind']>(
  child: ChildProcess,
  reports: Report[],
  kind: K,
): Promise<Extract<Report, { kind: K }>> {
  const limit = AbortSignal.timeout(REPORT_LIMIT_MS)
  for (;;) {
    const found = reports.findIndex((report) => report.kind === kind)
    const [report] = found < 0 ? [] : reports.splice(found, 1)
    if (isOf(report, kind)) return report
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error('A controller of the bench ended by itself.')
    await Promise.race([once(child, 'message', { signal: limit }), once(child, 'exit', { signal: limit })])
  }
}

const isOf = <K extends Report['kind']>(
  report: Report | undefined,
  kind: K,
): report is Extract<Report, { kind: K }> => report?.kind === kind
