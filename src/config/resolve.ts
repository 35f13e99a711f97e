import { resolve as resolvePath } from 'node:path'
import {
  type AnalysisSettings,
  type CanaryStep,
  type GuardLimits,
  type NotifyChannel,
  type ServiceLevel,
  ServiceSettings,
  type StrategySettings,
} from '../core/release/settings.ts'
import type { MetricDefinition } from '../core/shared/metric-definition.ts'
import type { ControllerLossPolicy } from '../core/shared/routes.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'
import {
  DEFAULT_LIGHT_WATCH,
  DEFAULT_NOTIFY_ON,
  DEFAULT_REVERT_AFTER,
  DEFAULT_STEP_PAUSE,
  DEFAULTS,
} from './defaults.ts'
import { defaultLayer, type Layer, LayeredReader } from './layers.ts'
import type { Origins } from './origin.ts'
import { LAST_STEP, type PresetName, presetSteps } from './presets.ts'
import { Overrides } from './schema.ts'
import type { AnalysisKeys } from './schema-analysis.ts'
import { levelOf, type SloSection } from './schema-slo.ts'
import type { CanarySection } from './schema-strategy.ts'
import { readDuration } from './units.ts'

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
}: ResolveInput): Resolved {
  const reader = new LayeredReader([...layers, defaultLayer(defaults)])
  const health = healthOf(reader)
  const settings: ServiceSettings = {
    service,
    environment,
    production,
    run: {
      artifact: resolvePath(
        folder,
        reader.pick('run.artifact', ({ run }) => run?.artifact),
      ),
      command: reader.pick('run.command', ({ run }) => run?.command),
      replicas: reader.pick('run.replicas', ({ run }) => run?.replicas),
      env: reader.merge('run.env', ({ run }) => run?.env),
      secrets: reader.pick('run.secrets', ({ run }) => run?.secrets),
      stopGraceMs: reader.pick('run.stopGrace', ({ run }) => run?.stopGrace),
    },
    listen: reader.pick('listen', ({ listen }) => listen),
    health,
    slowStartMs: reader.pick('health.slowStart', ({ health }) => health?.slowStart),
    drain: {
      requestsMs: reader.pick('drain.requests', ({ drain }) => drain?.requests),
      websocketsMs: reader.pick('drain.websockets', ({ drain }) => drain?.websockets),
    },
    strategy: strategyOf(reader, production),
    analysis: analysisOf(reader, folder, sloInFile),
    rollback: rollbackOf(reader),
    onControllerLoss: controllerLossOf(reader),
    drift: reader.pick('drift', ({ drift }) => drift),
    windows: reader.pick('windows', ({ windows }) => windows),
    onFreeze: reader.pick('onFreeze', ({ onFreeze }) => onFreeze),
    prober: proberOf(reader, health.path),
    notify: notifyOf(reader),
  }
  return { settings: ServiceSettings.parse(settings), origins: reader.origins }
}

const healthOf = (reader: LayeredReader): ServiceSettings['health'] => ({
  path: reader.pick('health.path', ({ health }) => health?.path),
  intervalMs: reader.pick('health.interval', ({ health }) => health?.interval),
  timeoutMs: reader.pick('health.timeout', ({ health }) => health?.timeout),
  successes: reader.pick('health.successes', ({ health }) => health?.successes),
  failures: reader.pick('health.failures', ({ health }) => health?.failures),
  deadlineMs: reader.pick('health.deadline', ({ health }) => health?.deadline),
})

function strategyOf(reader: LayeredReader, production: boolean): StrategySettings {
  const steps = reader.pick('strategy.canary.steps', ({ strategy }) => stepsIn(canaryIn(strategy)))
  if (steps.preset !== null) nameThePreset(reader, steps.preset)
  return {
    kind: 'canary',
    steps: steps.list,
    watchMs: reader.pick('strategy.canary.watch', ({ strategy }) => canaryIn(strategy)?.watch),
    lightWatch: lightWatchOf(reader, production),
    earliestMs: reader.pick('strategy.canary.earliest', ({ strategy }) => canaryIn(strategy)?.earliest),
    holdMs: reader.pick('strategy.canary.hold', ({ strategy }) => canaryIn(strategy)?.hold),
    readyPercent: reader.pick('strategy.canary.ready', ({ strategy }) => canaryIn(strategy)?.ready),
  }
}

/** On in production unless the file switches it off, and wherever the file asks for it. */
function lightWatchOf(reader: LayeredReader, production: boolean): StrategySettings['lightWatch'] {
  const path = 'strategy.canary.lightWatch'
  const chosen = reader.find(path, ({ strategy }) => canaryIn(strategy)?.lightWatch)
  if (chosen === 'off') return null
  if (chosen === undefined && !production) {
    reader.note(path, { kind: 'default', note: 'not in production' })
    return null
  }
  reader.origins.delete(path)
  const part = <K extends 'for' | 'onFinding'>(key: K) =>
    reader.find(`${path}.${key}`, ({ strategy }) => {
      const section = canaryIn(strategy)?.lightWatch
      return section === 'off' ? undefined : section?.[key]
    })
  return {
    forMs: part('for') ?? msOf(DEFAULT_LIGHT_WATCH.for),
    onFinding: part('onFinding') ?? DEFAULT_LIGHT_WATCH.onFinding,
  }
}

function canaryIn(strategy: Overrides['strategy']): CanarySection | undefined {
  if (strategy === undefined || strategy === 'canary') return undefined
  return typeof strategy.canary === 'string' ? { preset: strategy.canary } : strategy.canary
}

function stepsIn(
  canary: CanarySection | undefined,
): { preset: PresetName | null; list: CanaryStep[] } | undefined {
  if (canary?.preset !== undefined) return { preset: canary.preset, list: presetSteps(canary.preset) }
  if (canary?.steps === undefined) return undefined
  const list = canary.steps.map(stepOf)
  return { preset: null, list: list.at(-1)?.weightPermille === TOTAL_PERMILLE ? list : [...list, LAST_STEP] }
}

const stepPauseMs = msOf(DEFAULT_STEP_PAUSE)

function stepOf({
  weight,
  pause,
  atMost,
  criteria = {},
}: NonNullable<CanarySection['steps']>[number]): CanaryStep {
  const { errorRate, successRate, p99, p95, p50, errorPointsOverStable, throughput } = criteria
  return {
    weightPermille: weight,
    pauseMs: weight === TOTAL_PERMILLE ? 0 : pause === undefined ? stepPauseMs : pause,
    ...(atMost === undefined ? {} : { atMostMs: atMost }),
    criteria: {
      ...(errorRate === undefined ? {} : { errorRatePercent: errorRate }),
      ...(successRate === undefined ? {} : { successRatePercent: successRate }),
      ...(p99 === undefined ? {} : { p99Ms: p99 }),
      ...(p95 === undefined ? {} : { p95Ms: p95 }),
      ...(p50 === undefined ? {} : { p50Ms: p50 }),
      ...(errorPointsOverStable === undefined ? {} : { errorPointsOverStable }),
      ...(throughput === undefined ? {} : { throughputPercent: throughput }),
    },
  }
}

function nameThePreset(reader: LayeredReader, name: PresetName): void {
  const origin = reader.originOf('strategy.canary.steps')
  if (origin.kind === 'default')
    reader.note('strategy.canary.steps', { kind: 'default', note: `preset ${name}` })
  else
    reader.note('strategy.canary.steps', { kind: 'preset', name, line: origin.line, column: origin.column })
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
    compare: { errors: comparisonOf(reader, 'errors'), latency: comparisonOf(reader, 'latency') },
    noticePoints: key('notice', ({ notice }) => notice),
    dispersion: dispersionOf(key('dispersion', ({ dispersion }) => dispersion)),
    warmUpMs: key('warmUp', ({ warmUp }) => warmUp),
    critical: guardOf(reader, 'critical'),
    warning: guardOf(reader, 'warning'),
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

function guardOf(reader: LayeredReader, name: 'critical' | 'warning'): GuardLimits {
  const limit = (key: keyof NonNullable<AnalysisKeys['critical']>) =>
    reader.pick(`analysis.${name}.${key}`, ({ analysis }) => analysisIn(analysis)?.[name]?.[key])
  const [errorRate, points, p99, p95] = [
    limit('errorRate'),
    limit('errorPointsOverStable'),
    limit('p99'),
    limit('p95TimesStable'),
  ]
  return {
    ...(errorRate === 'off' ? {} : { errorRatePercent: errorRate }),
    ...(points === 'off' ? {} : { errorPointsOverStable: points }),
    ...(p99 === 'off' ? {} : { p99Ms: p99 }),
    ...(p95 === 'off' ? {} : { p95TimesStable: p95 }),
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

function proberOf(reader: LayeredReader, healthPath: string): ServiceSettings['prober'] {
  const chosen = reader.pick('prober', ({ prober }) => prober)
  if (chosen === 'off') return null
  reader.origins.delete('prober')
  const paths = reader.find('prober.paths', ({ prober }) => (prober === 'off' ? undefined : prober?.paths))
  if (paths === undefined) reader.note('prober.paths', { kind: 'default', note: 'the health path' })
  return {
    paths: paths ?? [healthPath],
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

function msOf(text: string): number {
  const reading = readDuration(text)
  if (reading.kind === 'refused') throw new Error(`the default ${text} is no duration`)
  return reading.value
}
