import { createHash } from 'node:crypto'
import path from 'node:path'
import canonicalize from 'canonicalize'
import { createFreezes } from '../adapters/freezes/documents/freezes.ts'
import { createHttpClient } from '../adapters/http/undici/http.ts'
import { createHttpProber } from '../adapters/probers/http/prober.ts'
import { createProcessTarget } from '../adapters/targets/processes/process-target.ts'
import { createHostVerifier } from '../adapters/verifiers/host/verifier.ts'
import { createSecrets } from '../agent/secrets.ts'
import { summaryOf } from '../config/config-problem.ts'
import { loadConfig } from '../config/load.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { Audience } from '../engine/audience.ts'
import type { Engine } from '../engine/engine.ts'
import { createFlow } from '../engine/flow.ts'
import { createOutbox } from '../engine/outbox.ts'
import { createRetention, type Retention } from '../engine/retention.ts'
import { createStreamLock } from '../engine/stream-lock.ts'
import type { OperationContext } from '../operations/context.ts'
import { goBack } from '../operations/go-back.ts'
import type { Log } from '../ports/log.ts'
import type { Store } from '../ports/store.ts'
import type { Exposition } from '../telemetry/exposition.ts'
import type { Component } from '../telemetry/metric-table.ts'
import { VERSION } from '../telemetry/version.ts'
import { accessLines } from './access-lines.ts'
import { certificateFiles, checkCertificate } from './certificates.ts'
import { systemClock as clock } from './clock.ts'
import { keepBackups, newestBackupAt } from './daily-backup.ts'
import { countsOfServing, createDataPlanes, findRouter, proxyProgram } from './data-planes.ts'
import type { Folder } from './folder.ts'
import { keptSecret } from './folder.ts'
import { forgetHistory } from './forget-history.ts'
import { randomIds } from './ids.ts'
import { createMetricProviders } from './metric-providers.ts'
import { longerStages, metricWarnings } from './metric-warnings.ts'
import { channelWarnings, createNotifierRegistry } from './notifiers.ts'
import { openStore } from './open-store.ts'
import { startProgram } from './programs.ts'
import { scrapePart } from './telemetry/scrape-part.ts'
import { createTelemetry, type Telemetry } from './telemetry/telemetry.ts'

const OUTBOX_EVERY_MS = 500
/** Enough to tell folders and hosts apart in the keys of notifications. */
const INSTALLATION_DIGITS = 12
/** How often missing parts (proxy, agent) are noticed and started again: while the proxy is away, nobody is served. */
const KEEP_EVERY_MS = 250
const RETENTION_EVERY_MS = 3_600_000
/** A part that cannot be started must not keep the controller from telling so. */
const PARTS_LIMIT_MS = 5000

export type ControllerOptions = {
  folder: Folder
  config: string
  /** See `openStore`. */
  databaseUrl: string | null
  log: Log
  onFenced(): void
  onShutdown(everything: boolean): void
}

export type Controller = {
  context: OperationContext
  audience: Audience
  readiness: Telemetry['readiness']
  /** The numbers of this process or, passed on, of a part. */
  scrape(process: Component, accept: string): Promise<Result<Exposition>>
  /** Stops deciding and looking; effects under way end by themselves. Traffic is not touched. */
  stopLooking(): Promise<void>
  /** Ends the routers that are programs of others; their drains come first. */
  endRouters(): Promise<void>
  /** Stops all instances of all services and waits until they are gone. */
  stopInstances(): Promise<void>
  /** Lets go of the store; the last thing to do. */
  close(): Promise<void>
}

/** Puts the parts together: the one place that knows which adapters there are. */
export async function startController(options: ControllerOptions): Promise<Result<Controller>> {
  const { folder, log } = options
  const opened = await openStore({ folder, databaseUrl: options.databaseUrl, clock, log })
  if (opened.kind === 'failed') return opened
  const telemetry = createTelemetry({ clock, log, version: VERSION })
  const store = telemetry.store(opened.value)
  const ended = new AbortController()
  const parts = createParts(options, {
    store,
    telemetry,
    signal: ended.signal,
    stateOf: async (stream) => await engine.load(stream),
  })
  const { engine, ownership, audience, notifiers } = startFlow({
    ...options,
    store,
    parts,
    ended: ended.signal,
    telemetry,
    goBack: (stream) => goBack(context, stream),
  })
  const retention = createRetention({ ...parts, store, engine, clock })
  const { attend } = ownership
  const { preparing } = retention
  const context = createContext({ ...options, ...parts, store, engine, audience, attend, preparing })
  const kept = await keepAll(
    { proxy: parts.planes.builtin.router, agent: parts.target },
    { log, telemetry },
    ended.signal,
  )
  const started = await ownership.leases.claim()
  if (started.kind === 'failed') {
    ended.abort()
    await store.close()
    return started
  }
  const loops = [
    removeOldArtifacts(retention, log, ended.signal),
    forgetHistory({ store, engine, retention, clock, log }, ended.signal),
    keepBackups({ store, folder, clock, log }, ended.signal),
    kept.finished,
    ownership.run(ended.signal),
    deliver({ store, notifiers: notifiers.byChannel, log }, ended.signal),
  ]
  return ok({
    context,
    audience,
    readiness: telemetry.readiness,
    scrape: async (process, accept) =>
      process === 'controller'
        ? ok(await telemetry.scrape({ store, newestBackupAt: () => newestBackupAt(store, folder) }, accept))
        : scrapePart(process, folder.sockets[process], accept),
    stopLooking: async () => {
      ended.abort()
      await Promise.all(loops)
    },
    close: async () => {
      await parts.planes.close()
      await store.close()
    },
    endRouters: () => parts.planes.end(),
    stopInstances: () => stopAll({ store, engine, target: parts.target }),
  })
}

type StartFlow = ControllerOptions & {
  store: Store
  parts: Parts
  ended: AbortSignal
  telemetry: Telemetry
  goBack(stream: string): Promise<Result<void>>
}

/** The engine over the adapters of this machine; what was decided is counted and told. */
function startFlow({ folder, log, onFenced, store, parts, ended, telemetry, goBack }: StartFlow) {
  const notifiers = createNotifierRegistry(parts.secretOf)
  const flow = createFlow({
    ...parts,
    store,
    clock,
    log,
    observer: telemetry.observer,
    goBack,
    installation: keptSecret(folder.root, 'installation').slice(0, INSTALLATION_DIGITS),
    onDecided: (stream, decided) => {
      telemetry.decided(stream, decided)
      notifiers.learn(decided.state)
    },
    onFenced,
    signal: ended,
  })
  return { ...flow, notifiers }
}

type PartsInput = {
  store: Store
  telemetry: Telemetry
  signal: AbortSignal
  stateOf(stream: string): Promise<Result<{ state: ServiceState }>>
}

function createParts(
  { folder, config, log }: ControllerOptions,
  { store, telemetry, signal, stateOf }: PartsInput,
) {
  const secrets = createSecrets({ agentFolder: folder.agent, env: process.env })
  const planes = createDataPlanes({
    folder,
    log,
    counted: telemetry.source,
    onUse: (name, { router }) => {
      // The built-in one is kept in any case.
      if (name !== 'builtin') void keepPart(router, { log, note: () => undefined }, signal).finished
    },
  })
  const source = countsOfServing(planes.of, stateOf)
  const secretOf = (name: string): string | null => {
    const found = secrets.resolve([name])
    return found.kind === 'ok' ? (found.value[name] ?? null) : null
  }
  return {
    target: createProcessTarget({
      socket: folder.sockets.agent,
      artifacts: folder.artifacts,
      startAgent: async () => {
        startProgram('agent', folder)
        return ok(undefined)
      },
    }),
    planes,
    routerOf: planes.of,
    providerOf: createMetricProviders({ secretOf, folder: path.dirname(config), source }),
    prober: createHttpProber(),
    verifier: createHostVerifier({ http: createHttpClient(), secretOf, cwd: path.dirname(config) }),
    freezes: createFreezes(store),
    probeKey: keptSecret(folder.root, 'probe-key'),
    secretOf,
  }
}
type Parts = ReturnType<typeof createParts>

type Kept = { reconcile(): Promise<Result<void>> }

/** Whoever finds the controller ready may deploy at once, so the parts are there first. */
async function keepAll(
  { proxy, agent }: Record<'proxy' | 'agent', Kept>,
  { log, telemetry }: { log: Log; telemetry: Telemetry },
  signal: AbortSignal,
): Promise<{ finished: Promise<unknown> }> {
  const { note } = telemetry.readiness
  const kept = [
    keepPart(proxy, { log, note: (code) => note('proxy', code) }, signal),
    keepPart(agent, { log, note: (code) => note('agent', code) }, signal),
  ]
  await Promise.race([Promise.all(kept.map(({ seen }) => seen)), clock.sleep(PARTS_LIMIT_MS)])
  return { finished: Promise.all(kept.map(({ finished }) => finished)) }
}

/** A part is started when it is missing, and started again when it dies; one that is slow does not hold up the other. */
function keepPart(
  part: Kept,
  { log, note }: { log: Log; note(code: string | null): void },
  signal: AbortSignal,
): { seen: Promise<void>; finished: Promise<void> } {
  const seen = Promise.withResolvers<void>()
  async function keep(): Promise<void> {
    while (!signal.aborted) {
      const found = await part.reconcile()
      note(found.kind === 'ok' ? null : found.problem.code)
      if (found.kind === 'failed') log.warn('a part does not answer', { problem: found.problem })
      seen.resolve()
      await clock.sleep(KEEP_EVERY_MS, signal)
    }
  }
  return { seen: seen.promise, finished: keep() }
}

/** At the start and then each hour, copies of artifacts that nothing needs any more go. */
async function removeOldArtifacts(retention: Retention, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const removed = await retention.runOnce()
    if (removed.kind === 'failed')
      log.warn('old artifacts could not be removed', { problem: removed.problem })
    else if (removed.value.length > 0) log.info('old artifacts were removed', { digests: removed.value })
    await clock.sleep(RETENTION_EVERY_MS, signal)
  }
}

async function deliver(
  { store, notifiers, log }: Pick<Parameters<typeof createOutbox>[0], 'store' | 'notifiers' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  const outbox = createOutbox({ store, notifiers, clock, log, random: Math.random })
  while (!signal.aborted) {
    // A pass lasts as long as its slowest channel; the next one leaves busy channels out, so nobody waits for it.
    void outbox.runOnce(signal)
    await clock.sleep(OUTBOX_EVERY_MS, signal)
  }
}

type ContextParts = ControllerOptions &
  Parts & {
    store: Store
    engine: Engine
    audience: Controller['audience']
    attend(stream: string): void
    preparing: Retention['preparing']
  }

function createContext({
  folder,
  config,
  store,
  engine,
  target,
  planes,
  freezes,
  secretOf,
  audience,
  attend,
  preparing,
  onShutdown,
}: ContextParts): OperationContext {
  const load = (environment: string) => loadConfig({ file: config, environment, autoRouter: findRouter() })
  return {
    engine,
    store,
    target,
    proxy: proxyProgram(folder),
    abilitiesOf: planes.abilitiesOf,
    checkCertificate,
    certificateFiles: () => certificateFiles(load),
    accessLines: (stream, count) => accessLines(folder.proxy, stream, count),
    freezes,
    clock,
    ids: randomIds,
    loadSettings: (environment) => {
      const loaded = load(environment)
      return loaded.kind === 'failed' ? failed(summaryOf(loaded.problem)) : ok(loaded.value.services)
    },
    digest: (value) =>
      createHash('sha256')
        .update(canonicalize(value) ?? '')
        .digest('hex'),
    channelWarnings: (settings) => [
      ...channelWarnings(settings.notify, secretOf),
      ...metricWarnings(settings.analysis.metrics, secretOf),
      ...longerStages(settings),
    ],
    viewOf: audience.viewOf,
    attend,
    preparing,
    inTurn: createStreamLock().run,
    shutdown: onShutdown,
  }
}

type StopAll = { store: Store; engine: Engine; target: Parts['target'] }

/** As "down" means it: what runs stops now, what is recorded stays, so that "up" brings stable back. */
async function stopAll({ store, engine, target }: StopAll): Promise<void> {
  const streams = await store.streams()
  if (streams.kind === 'failed') return
  await Promise.all(
    streams.value.map(async (stream) => {
      const loaded = await engine.load(stream)
      if (loaded.kind === 'failed') return
      const { sets, sequence, epoch } = loaded.value.state
      const token = { epoch, sequence, rollout: null }
      const deadline =
        clock.now() + Math.max(0, loaded.value.state.settings?.run.stopGraceMs ?? 0) + STOP_MARGIN_MS
      for (const { release, adoption } of sets)
        await (adoption === null
          ? target.stop({ token, service: stream, release })
          : target.release({ token, service: stream, release }))
      while (clock.now() < deadline && (await anythingRuns(target, stream))) await clock.sleep(STOP_POLL_MS)
    }),
  )
}

/** Beyond the grace of the processes themselves. */
const STOP_MARGIN_MS = 5000
const STOP_POLL_MS = 50

async function anythingRuns(target: Parts['target'], stream: string): Promise<boolean> {
  const seen = await target.observe(stream)
  return seen.kind === 'ok' && seen.value.instances.some(({ state }) => state !== 'gone')
}

/** The page ships beside the program: `web/dist` in the package and, once built, in a clone. */
export const pageFolder = (): string => path.join(import.meta.dirname, '..', '..', 'web', 'dist')
