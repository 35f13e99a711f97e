import { randomUUID } from 'node:crypto'
import { chmod, mkdir, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { destination, type Logger } from 'pino'
import { ProblemError, problem } from '../core/shared/problem.ts'
import type { ServiceRoutes } from '../core/shared/routes.ts'
import { expose } from '../telemetry/exposition.ts'
import { createProcessLog } from '../telemetry/process-log.ts'
import { processSamples } from '../telemetry/process-samples.ts'
import { VERSION } from '../telemetry/version.ts'
import { Control } from './control.ts'
import { Limits, SWEEP_MS } from './limits.ts'
import { lockFolder } from './lock.ts'
import { mustRevert, SignOfLife } from './loss-policy.ts'
import { proxySamples } from './metrics.ts'
import { loadRoutes } from './routes-file.ts'
import { Table } from './table.ts'

type Options = { folder: string; socket: string; limits: Limits; trustForwarded: boolean }

/**
 * The data plane: `--folder DIR --socket PATH [--limits JSON] [--trust-forwarded]`.
 * Restores what was in force, serves, and obeys whoever holds the control socket. Resolves after the drain that SIGTERM
 * asks for.
 */
export async function runProxy(argv: string[]): Promise<void> {
  const options = readOptions(argv)
  const log = createProcessLog('proxy', destination({ dest: 2, sync: false, maxLength: 1 << 20 }))
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  await chmod(options.folder, 0o700)
  const lock = await lockFolder(options.folder, options.socket)
  if (lock.kind === 'failed') throw new ProblemError(lock.problem)
  const boot = randomUUID()
  const { routes, damaged } = await loadRoutes(options.folder, new Date())
  if (damaged !== null) log.error({ movedTo: damaged }, 'routes.json is damaged, starting empty')
  const table = new Table({ ...options, boot, log }, routes)
  const life = new SignOfLife()
  const bugs = surviveBugs(log)
  await table.restore()
  const control = new Control({
    table,
    life,
    livez: () => ({ boot, pid: process.pid, damaged, bugs: bugs() }),
    scrape: (accept) =>
      expose(
        'proxy',
        [
          ...processSamples('proxy', VERSION),
          ...proxySamples(table.inForce, { silentMs: life.silentMs(), bugs: bugs() }),
        ],
        accept,
      ),
  })
  await control.listen(options.socket)
  const pidFile = join(options.folder, 'proxy.pid')
  await writeFile(pidFile, `${process.pid}\n`, { mode: 0o600 })
  log.info(
    { boot, folder: options.folder, services: table.routes.map(({ service }) => service) },
    'proxy serves',
  )
  const timer = setInterval(() => tick(table, life, log), SWEEP_MS)
  await stopSignal()
  log.info('proxy stops')
  control.close()
  await table.stop()
  clearInterval(timer)
  await unlink(pidFile).catch(() => undefined)
  log.info('proxy stopped')
  await new Promise<void>((resolve) => log.flush(() => resolve()))
}

function readOptions(argv: string[]): Options {
  const { values } = parseArgs({
    args: argv,
    options: {
      folder: { type: 'string' },
      socket: { type: 'string' },
      limits: { type: 'string', default: '{}' },
      'trust-forwarded': { type: 'boolean', default: false },
    },
  })
  const { folder, socket, limits } = values
  if (folder === undefined || socket === undefined) {
    throw new ProblemError(
      problem('PROXY_ARGUMENTS', {
        message: 'The proxy needs --folder and --socket.',
        remedy: 'Give it both.',
      }),
    )
  }
  return {
    folder,
    socket,
    limits: Limits.parse(JSON.parse(limits)),
    trustForwarded: values['trust-forwarded'],
  }
}

/** One timer for all time limits and for the controller-loss policy. */
function tick(table: Table, life: SignOfLife, log: Logger): void {
  table.sweep(performance.now())
  for (const routes of table.routes) {
    if (!mustRevert(routes, life.silentMs())) continue
    log.warn(
      { service: routes.service, silentMs: Math.round(life.silentMs()) },
      'no controller, traffic returns to stable',
    )
    const stillLost = (now: ServiceRoutes) => mustRevert(now, life.silentMs())
    table
      .revert(routes.service, Date.now(), stillLost)
      .catch((error: unknown) => log.error({ error }, 'revert failed'))
  }
}

/** A bug met by one request must not end the connections of all others: it is logged and shown in `/livez`. */
function surviveBugs(log: Logger): () => number {
  let bugs = 0
  const note = (error: unknown) => {
    bugs += 1
    log.error({ err: error }, 'bug')
  }
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  return () => bugs
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}
