import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { destination } from 'pino'
import { systemClock } from './controller/clock.ts'
import type { Controller } from './controller/controller.ts'
import { pageFolder, startController } from './controller/controller.ts'
import { endPart, pidOf } from './controller/end-part.ts'
import type { Folder } from './controller/folder.ts'
import { keptSecret, openFolder } from './controller/folder.ts'
import { endNeighbours, socketOf } from './controller/neighbours.ts'
import { keepRuntimeFile, previousPort, removeRuntimeFile } from './controller/runtime-file.ts'
import { keepHeapSmall } from './controller/small-heap.ts'
import { EXIT_CODE } from './core/rollout/outcome.ts'
import type { Problem } from './core/shared/problem.ts'
import { ok } from './core/shared/result.ts'
import { namingBackup } from './operations/backup/shelf.ts'
import { hearAlerts } from './operations/hear-alerts.ts'
import { OPERATIONS } from './operations/list.ts'
import type { Log } from './ports/log.ts'
import type { ApiServer } from './server/server.ts'
import { createServer } from './server/server.ts'
import { createProcessLog } from './telemetry/process-log.ts'
import { VERSION } from './telemetry/version.ts'

const ANSWER_FIRST_MS = 100

/**
 * The controller: engine, API and page. `--folder DIR --config FILE [--api-port N]`.
 * Resolves when it has stopped; traffic flows on without it. SIGTERM stops only the controller.
 */
export async function runController(argv: string[]): Promise<void> {
  keepHeapSmall()
  const { values } = parseArgs({
    args: argv,
    options: { folder: { type: 'string' }, config: { type: 'string' }, 'api-port': { type: 'string' } },
  })
  const log = createLog()
  const folder = openFolder(path.resolve(values.folder ?? '.sluice'))
  for (const part of [folder.proxy, folder.agent, folder.artifacts])
    mkdirSync(part, { recursive: true, mode: 0o700 })
  const ending = Promise.withResolvers<'controller' | 'everything' | 'fenced'>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => ending.resolve('controller'))
  process.on('SIGHUP', () => undefined)

  const started = await startController({
    folder,
    config: path.resolve(values.config ?? 'sluice.yaml'),
    databaseUrl: process.env.SLUICE_DATABASE_URL ?? null,
    log,
    onFenced: () => ending.resolve('fenced'),
    // Whoever asked gets the answer first.
    onShutdown: (everything) =>
      void setTimeout(() => ending.resolve(everything ? 'everything' : 'controller'), ANSWER_FIRST_MS),
  })
  if (started.kind === 'failed') return refuse(log, namingBackup(started.problem, folder.root))
  const controller = started.value
  const socket = socketOf(folder, controller.context.store.shared)
  const server = await listen(controller, {
    socket,
    folder,
    log,
    apiPort: values['api-port'] === undefined ? null : Number(values['api-port']),
  })
  if (server.kind === 'failed') {
    await controller.stopLooking()
    await controller.close()
    return refuse(log, server.problem)
  }
  const runtime = keepRuntimeFile(folder, {
    socket,
    url: server.url,
    version: VERSION,
  })
  log.info('controller serves', {
    url: server.url,
    socket,
  })

  const why = await ending.promise
  // Read now: whoever removes the folder meanwhile must not leave a part behind.
  if (why === 'everything') await endNeighbours(folder, systemClock)
  const pids = { proxy: pidOf('proxy', folder), agent: pidOf('agent', folder) }
  log.info('controller stops', { why })
  runtime.stop()
  await server.value.close()
  await controller.stopLooking()
  if (why === 'everything') {
    // Users first: the data plane finishes what it has before the instances go.
    await Promise.all([endPart('proxy', pids.proxy, log), controller.endRouters()])
    await controller.stopInstances()
    await endPart('agent', pids.agent, log)
  }
  await controller.close()
  removeRuntimeFile(folder, why === 'everything')
  process.exit(why === 'fenced' ? EXIT_CODE.refused : 0)
}

type Listening = { kind: 'ok'; value: ApiServer; url: string } | { kind: 'failed'; problem: Problem }

async function listen(
  { context, audience, readiness, scrape }: Controller,
  {
    folder,
    socket: path,
    log,
    apiPort,
  }: { folder: Folder; socket: string; log: Log; apiPort: number | null },
): Promise<Listening> {
  const views = async (stream: string | null) => {
    const streams = stream === null ? await context.store.streams() : ok([stream])
    if (streams.kind === 'failed') return []
    const loaded = await Promise.all(
      streams.value.map(async (one) => ({ one, found: await context.engine.load(one) })),
    )
    return loaded.flatMap(({ one, found }) =>
      found.kind === 'ok' && found.value.revision > 0 ? [audience.viewOf(one, found.value)] : [],
    )
  }
  const server = createServer({
    operations: OPERATIONS,
    context,
    subscribe: audience.subscribe,
    views,
    token: keptSecret(folder.root, 'token'),
    pageFolder: pageFolder(),
    version: VERSION,
    readiness: readiness.read,
    scrape,
    scrapeToken: keptSecret(folder.root, 'scrape-token'),
    hearAlerts: (alerts) => hearAlerts(context, alerts, context.clock.now()),
    alertToken: keptSecret(folder.root, 'alert-token'),
    log,
  })
  const socket = await server.listenSocket(path)
  if (socket.kind === 'failed') return socket
  const wanted = apiPort ?? previousPort(folder) ?? 0
  const tcp = await server.listenTcp(wanted)
  // A port that was only a habit may be taken by somebody else by now; one that was asked for may not be replaced.
  const page = tcp.kind === 'failed' && apiPort === null ? await server.listenTcp(0) : tcp
  return page.kind === 'failed' ? page : { kind: 'ok', value: server, url: page.value.url }
}

function refuse(log: Log, problem: Problem): never {
  log.error('controller cannot start', { problem })
  process.exit(EXIT_CODE.refused)
}

function createLog(): Log {
  const logger = createProcessLog('controller', destination({ dest: 2, sync: true }))
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  }
}
