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
import { Handover } from './handover/handover.ts'
import { HeirProcess } from './handover/heir-process.ts'
import { Leave } from './handover/leave.ts'
import { Limits, MEANT_FOR_HEIR_MS, SWEEP_MS } from './limits.ts'
import { mustRevert, SignOfLife } from './loss-policy.ts'
import { proxySamples } from './metrics.ts'
import { startFresh, succeed, takeOver } from './start.ts'
import { Table } from './table.ts'

type Options = {
  folder: string
  socket: string
  limits: Limits
  trustForwarded: boolean
  takesOver: boolean
}

/**
 * The data plane: `--folder DIR --socket PATH [--limits JSON] [--trust-forwarded] [--takes-over]`.
 * Restores what was in force, serves, and obeys whoever holds the control socket. Resolves after the drain that SIGTERM
 * asks for, or when another process has taken over and everything here has ended.
 */
export async function runProxy(argv: string[]): Promise<void> {
  const options = readOptions(argv)
  const log = createProcessLog('proxy', destination({ dest: 2, sync: false, maxLength: 1 << 20 }))
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  await chmod(options.folder, 0o700)
  const start = options.takesOver ? await takeOver(options) : await startFresh(options)
  const { boot, damaged, succession } = start
  if (damaged !== null) log.error({ movedTo: damaged }, 'routes.json is damaged, starting empty')
  const table = new Table({ ...options, boot, log, inherited: start.inherited }, start.routes)
  const life = new SignOfLife(start.silentMs)
  const bugs = surviveBugs(log)
  await table.restore()
  const control = new Control(options.socket, {
    table,
    life,
    livez: () => ({
      boot: table.sight.boot,
      pid: process.pid,
      version: VERSION,
      leaving: table.sight.elders,
      damaged,
      bugs: bugs(),
    }),
    scrape: (accept) => scrape(accept, { table, life, bugs }),
    upgrade: (program) => handover.start(program),
  })
  const pidFile = join(options.folder, 'proxy.pid')
  const claim = () => writeFile(pidFile, `${process.pid}\n`, { mode: 0o600 })
  const handover = new Handover({ ...options, table, control, life, lock: start.lock, log, argv, claim })
  if (succession !== null) await succeed(succession, { table, control, claim })
  else {
    await control.listen()
    await claim()
  }
  log.info(
    { boot: table.sight.boot, folder: options.folder, services: table.routes.map(({ service }) => service) },
    'proxy serves',
  )
  const timer = setInterval(() => tick(table, { life, handover, log }), SWEEP_MS)
  await untilOver({ table, control, handover, pidFile, limits: options.limits, log })
  clearInterval(timer)
  await new Promise<void>((resolve) => log.flush(() => resolve()))
}

type Life = {
  table: Table
  control: Control
  handover: Handover
  pidFile: string
  limits: Limits
  log: Logger
}

/** Until a signal ends the service, or until another process serves and what was here has ended. */
async function untilOver({ table, control, handover, pidFile, limits, log }: Life): Promise<void> {
  const signalled = stopSignal()
  const heir = await Promise.race([signalled, handover.done])
  if (heir instanceof HeirProcess) {
    const leave = new Leave({ table, heir, limits, log })
    const replacedAt = performance.now()
    void signalled.then(() => {
      // Whoever sent it had read the pid just before.
      if (performance.now() - replacedAt < MEANT_FOR_HEIR_MS) heir.pass('SIGTERM')
      leave.hurry()
    })
    await leave.end()
    log.info('proxy that was replaced has ended')
    return
  }
  log.info('proxy stops')
  await handover.stop()
  control.close()
  await table.stop()
  await unlink(pidFile).catch(() => undefined)
  log.info('proxy stopped')
}

type Numbers = { table: Table; life: SignOfLife; bugs: () => number }

const scrape = (accept: string, { table, life, bugs }: Numbers) =>
  expose(
    'proxy',
    [
      ...processSamples('proxy', VERSION),
      ...proxySamples(table.inForce, { silentMs: life.silentMs(), bugs: bugs() }),
    ],
    accept,
  )

function readOptions(argv: string[]): Options {
  const { values } = parseArgs({
    args: argv,
    options: {
      folder: { type: 'string' },
      socket: { type: 'string' },
      limits: { type: 'string', default: '{}' },
      'trust-forwarded': { type: 'boolean', default: false },
      'takes-over': { type: 'boolean', default: false },
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
    takesOver: values['takes-over'],
  }
}

/** One timer for all time limits and for the controller-loss policy. */
function tick(
  table: Table,
  { life, handover, log }: { life: SignOfLife; handover: Handover; log: Logger },
): void {
  table.sweep(performance.now())
  // The table stands still, or is another's.
  if (handover.isUnderWay || handover.isDone) return
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
