import { chmod, mkdir, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Logger } from 'pino'
import { ProblemError, problem } from '../core/shared/problem.ts'
import type { ServiceRoutes } from '../core/shared/routes.ts'
import { expose } from '../telemetry/exposition.ts'
import { processSamples } from '../telemetry/process-samples.ts'
import { VERSION } from '../telemetry/version.ts'
import { Control } from './control.ts'
import { Following } from './handover/following.ts'
import { Handover } from './handover/handover.ts'
import { HeirProcess } from './handover/heir-process.ts'
import { Leave } from './handover/leave.ts'
import { Limits, MEANT_FOR_HEIR_MS, SWEEP_MS } from './limits.ts'
import { mustRevert, SignOfLife } from './loss-policy.ts'
import { proxySamples } from './metrics.ts'
import { ended, openLog, stopSignal, surviveBugs } from './process-life.ts'
import { startFresh, succeed, takeOver } from './start.ts'
import { Table } from './table.ts'
import { Crew } from './workers/crew.ts'
import { processesAsked } from './workers/processes-asked.ts'

type Options = {
  folder: string
  socket: string
  limits: Limits
  trustForwarded: boolean
  takesOver: boolean
  /** Processes that serve together: this one, which leads, and its workers. */
  size: number
}

/**
 * The data plane: `--folder DIR --socket PATH [--workers N|auto] [--limits JSON] [--trust-forwarded] [--takes-over]`.
 * Restores what was in force, serves, and obeys whoever holds the control socket. Resolves after the drain that SIGTERM
 * asks for, or when another process has taken over and everything here has ended.
 */
export async function runProxy(argv: string[]): Promise<void> {
  const options = readOptions(argv)
  const log = openLog()
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  await chmod(options.folder, 0o700)
  const start = options.takesOver ? await takeOver(options) : await startFresh(options, log)
  const { boot, damaged, succession } = start
  if (damaged !== null) log.error({ movedTo: damaged }, 'routes.json is damaged, starting empty')
  const leads = options.size > 1
  const table = new Table({ ...options, boot, log, leads, inherited: start.inherited }, start.routes)
  const crew = new Crew({ ...options, table, log })
  const life = new SignOfLife(start.silentMs)
  const ownBugs = surviveBugs(log)
  const bugs = () => ownBugs() + crew.bugs
  await table.restore()
  const control = new Control(options.socket, {
    table,
    life,
    livez: () => ({
      boot: table.sight.boot,
      pid: process.pid,
      version: VERSION,
      leaving: table.sight.elders,
      workers: { asked: options.size, pids: crew.pids },
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
  crew.start()
  const timer = setInterval(() => tick(table, { life, handover, crew, log }), SWEEP_MS)
  await untilOver({ table, control, handover, crew, pidFile, limits: options.limits, log })
  clearInterval(timer)
  await ended(log)
}

type Life = {
  table: Table
  control: Control
  handover: Handover
  crew: Crew
  pidFile: string
  limits: Limits
  log: Logger
}

/** Until a signal ends the service, or until another process serves and what was here has ended. */
async function untilOver(life: Life): Promise<void> {
  const { table, control, handover, crew, pidFile, log } = life
  const signalled = stopSignal()
  const heir = await Promise.race([signalled, handover.done])
  if (heir instanceof HeirProcess) {
    await leaveFor(heir, life, signalled)
    log.info('proxy that was replaced has ended')
    return
  }
  log.info('proxy stops')
  await handover.stop()
  control.close()
  await Promise.all([table.stop(), crew.stop()])
  await unlink(pidFile).catch(() => undefined)
  log.info('proxy stopped')
}

/** Another process serves: what is left here follows it, and ends. */
async function leaveFor(
  heir: HeirProcess,
  { table, crew, limits, log }: Life,
  signalled: Promise<void>,
): Promise<void> {
  const leave = new Leave({ table, limits, log, companions: crew })
  const following = new Following({
    table,
    log,
    send: (message) => heir.send(message),
    onStray: () => leave.hurry(),
  })
  heir.onMessage = (message) => {
    if (message.kind === 'change') void following.hear(message.number, message.change)
    if (message.kind !== 'leave') return
    void table.sight.elder?.leave()
    leave.hurry()
  }
  // Nobody tells the routes any more: silent connections may not bring another request.
  heir.onEnd = () => leave.hurry()
  const replacedAt = performance.now()
  void signalled.then(() => {
    // Whoever sent it had read the pid just before.
    if (performance.now() - replacedAt < MEANT_FOR_HEIR_MS) heir.pass('SIGTERM')
    leave.hurry()
  })
  const left = leave.end()
  following.begin()
  await left
  following.end()
  await heir.letGo()
}

type Numbers = { table: Table; life: SignOfLife; bugs: () => number }

const scrape = (accept: string, { table, life, bugs }: Numbers) =>
  expose(
    'proxy',
    [
      ...processSamples('proxy', VERSION),
      ...proxySamples(table, { silentMs: life.silentMs(), bugs: bugs() }),
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
      workers: { type: 'string', default: '1' },
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
    size: processesAsked(values.workers),
  }
}

/** One timer for all time limits and for the controller-loss policy. */
function tick(
  table: Table,
  { life, handover, crew, log }: { life: SignOfLife; handover: Handover; crew: Crew; log: Logger },
): void {
  table.sweep(performance.now())
  crew.sweep()
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
