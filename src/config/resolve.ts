import { resolve as resolvePath } from 'node:path'
import { ALL_BUT_HARD } from '../core/analysis/dry-run.ts'
import type {
  AnalysisSettings,
  CriticalLimits,
  GuardLimits,
  ServiceLevel,
} from '../core/release/analysis-settings.ts'
import { type NotifyChannel, ServiceSettings } from '../core/release/settings.ts'
import { isWorker, strategyWithoutRequests, withoutRequests } from '../core/release/worker.ts'
import type { HealthCheck } from '../core/shared/health-check.ts'
import type { MetricDefinition } from '../core/shared/metric-definition.ts'
import type { RouterName } from '../core/shared/router-ability.ts'
import type { ControllerLossPolicy } from '../core/shared/routes.ts'
import { DEFAULT_NOTIFY_ON, DEFAULT_REVERT_AFTER, DEFAULTS } from './defaults.ts'
import { defaultLayer, type Layer, LayeredReader } from './layers.ts'
import type { Origins } from './origin.ts'
import { alsoIn } from './resolve-also.ts'
import { entryIn, takesPath } from './resolve-entry.ts'
import { requestPolicyIn } from './resolve-requests.ts'
import { riskOf } from './resolve-risk.ts'
import { runOf } from './resolve-run.ts'
import { differingLimitOf } from './resolve-shadow.ts'
import { strategyOf } from './resolve-strategy.ts'
import { Overrides } from './schema.ts'
import type { AnalysisKeys } from './schema-analysis.ts'
import { checkOf, liveOf, startOf, wayIn } from './schema-health.ts'
import { levelOf, type SloSection } from './schema-slo.ts'
import { msOf } from './units.ts'

export type ResolveInput = {
  service: string
  environment: string
  production: boolean
  /** Folder of the file: relative paths start there. */
  folder: string
  /** Highest first, without the defaults. */
  layers: readonly Layer[]
  /** The objective in the file that `analysis.slo` names; `null` where it names none. */
  sloInFile?: ServiceLevel | null
  /** What `router: auto` means on this machine. */
  autoRouter?: RouterName
}
export type Resolved = { settings: ServiceSettings; origins: Origins }

const defaults = Overrides.parse(DEFAULTS)

/** Fills in every default. The layers have been checked by the schema, so nothing here can fail. */
export function resolveService({
  service,
  environment,
  production,
  folder,
  layers,
  sloInFile = null,
  autoRouter = 'builtin',
}: ResolveInput): Resolved {
  const reader = new LayeredReader([...layers, defaultLayer(defaults)])
  const health = healthOf(reader)
  const strategy = strategyOf(reader, production)
  const entry = entryIn(reader, folder)
  const listen = reader.pick('listen', (layer) => layer.listen)
  const router = routerOf(reader, autoRouter)
  const also = alsoIn(reader, folder)
  const settings: ServiceSettings = {
    service,
    environment,
    production,
    run: runOf(reader, folder, listen === null),
    listen,
    ...entry,
    health,
    slowStartMs: reader.pick('health.slowStart', ({ health }) => health?.slowStart),
    drain: {
      requestsMs: reader.pick('drain.requests', ({ drain }) => drain?.requests),
      websocketsMs: reader.pick('drain.websockets', ({ drain }) => drain?.websockets),
    },
    strategy,
    analysis: {
      ...analysisOf(reader, folder, sloInFile),
      ...(strategy.kind === 'shadow' ? differingLimitOf(reader) : {}),
    },
    verify: reader.pick('verify', ({ verify }) => verify),
    rollback: rollbackOf(reader),
    ...riskOf(reader),
    onControllerLoss: controllerLossOf(reader),
    ...router,
    ...(also.length === 0 ? {} : { also }),
    ...requestPolicyIn(reader, { listen, router: router.router, isAlone: also.length === 0 }),
    drift: reader.pick('drift', ({ drift }) => drift),
    windows: reader.pick('windows', ({ windows }) => windows),
    onFreeze: reader.pick('onFreeze', ({ onFreeze }) => onFreeze),
    prober: proberOf(reader, 'path' in health && takesPath(entry, health.path) ? health.path : null),
    notify: notifyOf(reader),
  }
  const own = isWorker(settings) ? asWorker(settings) : settings
  return { settings: ServiceSettings.parse(own), origins: reader.origins }
}

/** What is asked of requests is not asked of a worker. */
const asWorker = (settings: ServiceSettings): ServiceSettings => ({
  ...settings,
  strategy: strategyWithoutRequests(settings.strategy),
  analysis: withoutRequests(settings.analysis),
})

function routerOf(
  reader: LayeredReader,
  autoRouter: RouterName,
): Pick<ServiceSettings, 'router' | 'routerFound'> {
  const router = reader.pick('router', (layer) => layer.router)
  return router === 'auto' ? { router: autoRouter, routerFound: true } : { router }
}

function healthOf(reader: LayeredReader): ServiceSettings['health'] {
  const phases = {
    intervalMs: reader.pick('health.interval', ({ health }) => health?.interval),
    timeoutMs: reader.pick('health.timeout', ({ health }) => health?.timeout),
    successes: reader.pick('health.successes', ({ health }) => health?.successes),
    failures: reader.pick('health.failures', ({ health }) => health?.failures),
    deadlineMs: reader.pick('health.deadline', ({ health }) => health?.deadline),
    ...startOf(reader.pick('health.start', ({ health }) => health?.start)),
    ...liveOf(reader.pick('health.live', ({ health }) => health?.live)),
    ...namedChecksOf(reader),
  }
  const check = readyCheckIn(reader)
  return check.kind === 'http' ? { path: check.path, ...phases } : { check, ...phases }
}

/** The highest layer that says how to ask decides, in whatever way. */
function readyCheckIn(reader: LayeredReader): HealthCheck {
  const way = reader.pick('health', ({ health }) => wayIn(health))
  reader.origins.delete('health')
  return checkOf({ [way]: reader.pick(`health.${way}`, ({ health }) => health?.[way]) })
}

function namedChecksOf(reader: LayeredReader): Pick<ServiceSettings['health'], 'checks'> {
  const checks = reader.pick('health.checks', ({ health }) => health?.checks)
  return checks.length === 0 ? {} : { checks }
}

function analysisOf(reader: LayeredReader, folder: string, sloInFile: ServiceLevel | null): AnalysisSettings {
  const key = <T>(name: keyof AnalysisKeys, choose: (analysis: AnalysisKeys) => T | undefined) =>
    reader.pick(`analysis.${name}`, ({ analysis }) => {
      const keys = analysisIn(analysis)
      return keys === undefined ? undefined : choose(keys)
    })
  return {
    alpha: key('alpha', ({ alpha }) => alpha) / 100,
    intervalMs: key('interval', ({ interval }) => interval),
    minRequests: key('minRequests', ({ minRequests }) => minRequests),
    compare: {
      errors: comparisonOf(reader, 'errors'),
      latency: comparisonOf(reader, 'latency'),
      ...crashesOf(reader),
    },
    noticePoints: key('notice', ({ notice }) => notice),
    dispersion: dispersionOf(key('dispersion', ({ dispersion }) => dispersion)),
    warmUpMs: key('warmUp', ({ warmUp }) => warmUp),
    critical: { ...guardOf(reader, 'critical'), ...forLongOf(reader) },
    warning: guardOf(reader, 'warning'),
    resourceFailureLimit: resourceFailureLimitOf(reader),
    targets: targetsOf(reader),
    dryRun: dryRunOf(key('dryRun', ({ dryRun }) => dryRun)),
    slo: sloOf(
      key('slo', ({ slo }) => slo),
      sloInFile,
    ),
    alerts: alertsOf(reader),
    failingChecks: key('failingChecks', ({ failingChecks }) => failingChecks),
    failingInstancesPercent: key('failingInstances', ({ failingInstances }) => failingInstances),
    crashLimit: key('crashLimit', ({ crashLimit }) => crashLimit),
    newErrors: key('newErrors', ({ newErrors }) => newErrors),
    newErrorsAtLeast: key('newErrorsAtLeast', ({ newErrorsAtLeast }) => newErrorsAtLeast),
    metrics: key('metrics', ({ metrics }) => metrics).map((metric) => withFile(metric, folder)),
  }
}

const alertsOf = (reader: LayeredReader): AnalysisSettings['alerts'] => ({
  critical: reader.pick('analysis.alerts.critical', ({ analysis }) => analysisIn(analysis)?.alerts?.critical),
  warning: reader.pick('analysis.alerts.warning', ({ analysis }) => analysisIn(analysis)?.alerts?.warning),
  match: reader.pick('analysis.alerts.match', ({ analysis }) => analysisIn(analysis)?.alerts?.match),
})

const sloOf = (chosen: SloSection, inFile: ServiceLevel | null): ServiceLevel | null =>
  typeof chosen === 'object' ? levelOf(chosen) : chosen === 'off' ? null : inFile

const dispersionOf = (chosen: 'auto' | number): number | null => (chosen === 'auto' ? null : chosen)

/** The file of a SQLite database stands relative to the configuration. */
function withFile(metric: MetricDefinition, folder: string): MetricDefinition {
  const { query } = metric
  if (query.provider !== 'sql' || query.database.kind !== 'sqlite') return metric
  const file = resolvePath(folder, query.database.file)
  return { ...metric, query: { ...query, database: { kind: 'sqlite', file } } }
}

/** `analysis: default` takes everything back to the defaults, also what a lower layer changed. */
const analysisIn = (analysis: Overrides['analysis']): AnalysisKeys | undefined =>
  analysis === 'default' ? analysisIn(defaults.analysis) : analysis

function comparisonOf(
  reader: LayeredReader,
  name: 'errors' | 'latency',
): AnalysisSettings['compare']['errors'] {
  const path = `analysis.compare.${name}`
  const chosen = reader.pick(path, ({ analysis }) => analysisIn(analysis)?.compare?.[name])
  if (chosen === 'off') return null
  reader.origins.delete(path)
  const part = (key: 'ratio' | 'points') =>
    reader.pick(`${path}.${key}`, ({ analysis }) => {
      const comparison = analysisIn(analysis)?.compare?.[name]
      return comparison === 'off' ? undefined : comparison?.[key]
    })
  return { ratio: part('ratio'), points: part('points') }
}

const dryRunOf = (chosen: 'all' | readonly string[]): string[] =>
  chosen === 'all' ? [...ALL_BUT_HARD] : [...chosen]

function crashesOf(reader: LayeredReader): Pick<AnalysisSettings['compare'], 'crashes'> {
  const path = 'analysis.compare.crashes'
  const chosen = reader.pick(path, ({ analysis }) => analysisIn(analysis)?.compare?.crashes)
  if (chosen === 'off') return {}
  reader.origins.delete(path)
  const ratio = reader.pick(`${path}.ratio`, ({ analysis }) => {
    const crashes = analysisIn(analysis)?.compare?.crashes
    return crashes === 'off' ? undefined : crashes?.ratio
  })
  return { crashes: { ratio } }
}

type ForLongKeys = Exclude<NonNullable<NonNullable<AnalysisKeys['critical']>['forLong']>, 'off'>

function forLongOf(reader: LayeredReader): Pick<CriticalLimits, 'forLong'> {
  const path = 'analysis.critical.forLong'
  const chosen = reader.pick(path, ({ analysis }) => analysisIn(analysis)?.critical?.forLong)
  if (chosen === 'off') return {}
  reader.origins.delete(path)
  const part = <T>(key: keyof ForLongKeys, choose: (keys: ForLongKeys) => T | undefined): T =>
    reader.pick(`${path}.${key}`, ({ analysis }) => {
      const forLong = analysisIn(analysis)?.critical?.forLong
      return forLong === undefined || forLong === 'off' ? undefined : choose(forLong)
    })
  const overMs = part('over', ({ over }) => over)
  const throughput = part('throughput', (keys) => keys.throughput)
  const p95 = part('p95TimesStable', ({ p95TimesStable }) => p95TimesStable)
  return {
    forLong: {
      ...(throughput === 'off' ? {} : { throughputPercent: throughput }),
      ...(p95 === 'off' ? {} : { p95TimesStable: p95 }),
      overMs,
    },
  }
}

function guardOf(reader: LayeredReader, name: 'critical' | 'warning'): GuardLimits {
  const limit = (key: keyof NonNullable<AnalysisKeys['warning']>) =>
    reader.pick(`analysis.${name}.${key}`, ({ analysis }) => analysisIn(analysis)?.[name]?.[key])
  const [errorRate, points, p99, p95, throughput] = [
    limit('errorRate'),
    limit('errorPointsOverStable'),
    limit('p99'),
    limit('p95TimesStable'),
    limit('throughput'),
  ]
  return {
    ...(errorRate === 'off' ? {} : { errorRatePercent: errorRate }),
    ...(points === 'off' ? {} : { errorPointsOverStable: points }),
    ...(p99 === 'off' ? {} : { p99Ms: p99 }),
    ...(p95 === 'off' ? {} : { p95TimesStable: p95 }),
    ...(throughput === 'off' ? {} : { throughputPercent: throughput }),
    ...useLimitsOf(reader, name),
  }
}

function useLimitsOf(reader: LayeredReader, name: 'critical' | 'warning'): GuardLimits {
  const limit = (key: 'cpu' | 'memory' | 'disk') =>
    reader.pick(`analysis.${name}.${key}`, ({ analysis }) => analysisIn(analysis)?.[name]?.[key])
  const [cpu, memory, disk] = [limit('cpu'), limit('memory'), limit('disk')]
  return {
    ...(cpu === 'off' ? {} : { cpuPercent: cpu }),
    ...(memory === 'off' ? {} : { memoryPercent: memory }),
    ...(disk === 'off' ? {} : { diskPercent: disk }),
  }
}

function resourceFailureLimitOf(reader: LayeredReader): AnalysisSettings['resourceFailureLimit'] {
  const part = (key: 'limit' | 'of') =>
    reader.pick(
      `analysis.resourceFailureLimit.${key}`,
      ({ analysis }) => analysisIn(analysis)?.resourceFailureLimit?.[key],
    )
  return { limit: part('limit'), of: part('of') }
}

function targetsOf(reader: LayeredReader): AnalysisSettings['targets'] {
  const of = (key: keyof NonNullable<AnalysisKeys['targets']>) =>
    reader.pick(`analysis.targets.${key}`, ({ analysis }) => analysisIn(analysis)?.targets?.[key])
  const [errorRate, successRate, cpu, memory] = [of('errorRate'), of('successRate'), of('cpu'), of('memory')]
  const [p50, p95, p99] = [of('p50'), of('p95'), of('p99')]
  return {
    ...(errorRate === 'off' ? {} : { errorRatePercent: errorRate }),
    ...(successRate === 'off' ? {} : { successRatePercent: successRate }),
    ...(p50 === 'off' ? {} : { p50Ms: p50 }),
    ...(p95 === 'off' ? {} : { p95Ms: p95 }),
    ...(p99 === 'off' ? {} : { p99Ms: p99 }),
    ...(cpu === 'off' ? {} : { cpuPercent: cpu }),
    ...(memory === 'off' ? {} : { memoryPercent: memory }),
  }
}

const rollbackOf = (reader: LayeredReader): ServiceSettings['rollback'] => ({
  window: reader.pick('rollback.window', ({ rollback }) => rollback?.window),
  onFailure: reader.pick('rollback.onFailure', ({ rollback }) => rollback?.onFailure),
  breaker: breakerOf(reader),
})

function breakerOf(reader: LayeredReader): ServiceSettings['rollback']['breaker'] {
  const chosen = reader.pick('rollback.breaker', ({ rollback }) => rollback?.breaker)
  if (chosen === 'off') return null
  reader.origins.delete('rollback.breaker')
  const part = (key: 'count' | 'within') =>
    reader.pick(`rollback.breaker.${key}`, ({ rollback }) =>
      rollback?.breaker === 'off' ? undefined : rollback?.breaker?.[key],
    )
  return { count: part('count'), withinMs: part('within') }
}

function controllerLossOf(reader: LayeredReader): ControllerLossPolicy {
  const policy = reader.pick('onControllerLoss', ({ onControllerLoss }) => onControllerLoss)
  if (policy === 'hold') return { kind: 'hold' }
  const afterMs = policy === 'revert' ? undefined : policy.revert.after
  return { kind: 'revert', afterMs: afterMs ?? msOf(DEFAULT_REVERT_AFTER) }
}

/** A service that is not asked by a path has none that is known to be safe to repeat. */
function proberOf(reader: LayeredReader, healthPath: string | null): ServiceSettings['prober'] {
  const chosen = reader.pick('prober', ({ prober }) => prober)
  if (chosen === 'off') return null
  const paths = reader.find('prober.paths', ({ prober }) => (prober === 'off' ? undefined : prober?.paths))
  const known = paths ?? (healthPath === null ? [] : [healthPath])
  if (known.length === 0) {
    // Read all the same: it is noted who wrote it.
    reader.find('prober.interval', ({ prober }) => (prober === 'off' ? undefined : prober?.interval))
    reader.note('prober', { kind: 'default', note: 'off without a health path that the service takes' })
    return null
  }
  reader.origins.delete('prober')
  if (paths === undefined) reader.note('prober.paths', { kind: 'default', note: 'the health path' })
  return {
    paths: known,
    intervalMs: reader.pick('prober.interval', ({ prober }) =>
      prober === 'off' ? undefined : prober?.interval,
    ),
  }
}

const notifyOf = (reader: LayeredReader): NotifyChannel[] =>
  reader
    .pick('notify', ({ notify }) => notify)
    .map((channel) => {
      const common = { name: channel.name, on: channel.on ?? [...DEFAULT_NOTIFY_ON] }
      return 'webhook' in channel
        ? { kind: 'webhook', ...common, url: channel.webhook, secret: channel.secret }
        : { kind: 'command', ...common, command: channel.command }
    })
