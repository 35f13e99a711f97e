import type {
  CriticalLimits,
  GuardLimits,
  HealthTargets,
  ServiceLevel,
} from '../core/release/analysis-settings.ts'
import type { NotifyChannel, ServiceSettings } from '../core/release/settings.ts'
import type { MetricDefinition } from '../core/shared/metric-definition.ts'
import type { VerifyCheck } from '../core/shared/verification.ts'
import { healthValues } from './explain-health.ts'
import { runValues } from './explain-run.ts'
import { strategyValues } from './explain-strategy.ts'
import type { LoadedConfig } from './load.ts'
import { type Origin, originText } from './origin.ts'
import { alsoValues } from './resolve-also.ts'
import { entryValues } from './resolve-entry.ts'
import { requestPolicyValues } from './resolve-requests.ts'
import { riskValues } from './resolve-risk.ts'
import { windowText } from './schema-windows.ts'
import { durationText, percentText } from './units.ts'
import { addressText, listText, listValues, type Value, wordText } from './value-text.ts'

/** One effective value of one service. */
export type ExplainRow = {
  service: string
  /** Path of the key in the file. */
  path: string
  /** Written as in the file. */
  value: string
  origin: Origin
  /** The origin for people: `sluice.yaml:12:5 (environment production)`. */
  originText: string
}

/** Every effective value of every service and where it came from. */
export function explainSettings(loaded: LoadedConfig): ExplainRow[] {
  return loaded.services.flatMap((settings) => {
    const origins = loaded.origins.get(settings.service) ?? new Map<string, Origin>()
    return valuesOf(settings).map(([path, value]) => {
      const origin = originOf(origins, path)
      return { service: settings.service, path, value, origin, originText: originText(loaded.file, origin) }
    })
  })
}

/** Three columns for a terminal, each service under its own heading. */
export function renderExplanation(loaded: LoadedConfig): string {
  const rows = explainSettings(loaded)
  const widthOf = (column: (row: ExplainRow) => string, max: number) =>
    Math.min(max, Math.max(0, ...rows.map((row) => column(row).length)))
  const pathWidth = widthOf((row) => row.path, 50)
  const valueWidth = widthOf((row) => row.value, 60)
  return loaded.services
    .map((settings) => {
      const mark = settings.production ? ' (production)' : ''
      const lines = rows
        .filter((row) => row.service === settings.service)
        .map((row) => `  ${row.path.padEnd(pathWidth)}  ${row.value.padEnd(valueWidth)}  ${row.originText}`)
      return [`${settings.service} in ${settings.environment}${mark}`, ...lines].join('\n')
    })
    .join('\n\n')
}

/** An item of a list (`strategy.canary.steps[0]`) came from where its list came from. */
function originOf(origins: ReadonlyMap<string, Origin>, path: string): Origin {
  return origins.get(path) ?? origins.get(path.replace(/\[\d+\].*$/, '')) ?? { kind: 'default', note: '' }
}

function valuesOf(settings: ServiceSettings): Value[] {
  return [
    ...runValues(settings.run),
    ['listen', settings.listen === null ? 'none' : addressText(settings.listen)],
    ...entryValues(settings),
    ...healthValues(settings.health),
    ['health.slowStart', durationText(settings.slowStartMs)],
    ...requestPolicyValues(settings),
    ['drain.requests', durationText(settings.drain.requestsMs)],
    ['drain.websockets', durationText(settings.drain.websocketsMs)],
    ...strategyValues(settings),
    ...listValues('verify', settings.verify, checkText),
    ...analysisValues(settings.analysis),
    ...rollbackValues(settings.rollback),
    ...riskValues(settings.risk ?? {}),
    [
      'onControllerLoss',
      settings.onControllerLoss.kind === 'hold'
        ? 'hold'
        : `revert after ${durationText(settings.onControllerLoss.afterMs)}`,
    ],
    ['router', settings.routerFound === true ? `auto: ${settings.router}` : settings.router],
    ...alsoValues(settings.also),
    ['drift', settings.drift],
    ...listValues('windows', settings.windows, windowText),
    ['onFreeze', settings.onFreeze],
    ...proberValues(settings.prober),
    ...listValues('notify', settings.notify, channelText),
  ]
}

function checkText(check: VerifyCheck): string {
  const { name, moments, timeoutMs } = check
  const requests = check.kind === 'journey' ? check.steps.length : 0
  const what = check.kind === 'command' ? 'command' : requests === 1 ? '1 request' : `${requests} requests`
  return `${name}: ${what}, ${moments.join(' and ')}, within ${durationText(timeoutMs)}`
}

const analysisValues = (analysis: ServiceSettings['analysis']): Value[] => [
  ['analysis.alpha', percentText(analysis.alpha * 100)],
  ['analysis.interval', durationText(analysis.intervalMs)],
  ['analysis.minRequests', String(analysis.minRequests)],
  ...comparisonValues('analysis.compare.errors', analysis.compare.errors),
  ...comparisonValues('analysis.compare.latency', analysis.compare.latency),
  ...crashesValues(analysis.compare),
  ['analysis.notice', percentText(analysis.noticePoints)],
  ['analysis.dispersion', analysis.dispersion === null ? 'auto' : String(analysis.dispersion)],
  ['analysis.warmUp', durationText(analysis.warmUpMs)],
  ...guardValues('analysis.critical', analysis.critical),
  ...forLongValues(analysis.critical),
  ...guardValues('analysis.warning', analysis.warning),
  ['analysis.resourceFailureLimit.limit', String(analysis.resourceFailureLimit.limit)],
  ['analysis.resourceFailureLimit.of', String(analysis.resourceFailureLimit.of)],
  ...targetValues(analysis.targets),
  ['analysis.dryRun', listText(analysis.dryRun ?? [])],
  ...sloValues(analysis.slo),
  ['analysis.alerts.critical', analysis.alerts.critical],
  ['analysis.alerts.warning', analysis.alerts.warning],
  ['analysis.alerts.match', labelsText(analysis.alerts.match)],
  ['analysis.failingChecks', String(analysis.failingChecks)],
  ['analysis.failingInstances', percentText(analysis.failingInstancesPercent)],
  ['analysis.crashLimit', String(analysis.crashLimit)],
  ['analysis.newErrors', analysis.newErrors],
  ['analysis.newErrorsAtLeast', String(analysis.newErrorsAtLeast)],
  ...listValues('analysis.metrics', analysis.metrics, metricText),
]

const comparisonValues = (
  path: string,
  tolerated: ServiceSettings['analysis']['compare']['errors'],
): Value[] =>
  tolerated === null
    ? [[path, 'off']]
    : [
        [`${path}.ratio`, String(tolerated.ratio)],
        [`${path}.points`, percentText(tolerated.points)],
      ]

const guardValues = (path: string, limits: GuardLimits): Value[] => [
  [`${path}.errorRate`, limits.errorRatePercent === undefined ? 'off' : percentText(limits.errorRatePercent)],
  [
    `${path}.errorPointsOverStable`,
    limits.errorPointsOverStable === undefined ? 'off' : percentText(limits.errorPointsOverStable),
  ],
  [`${path}.p99`, limits.p99Ms === undefined ? 'off' : durationText(limits.p99Ms)],
  [`${path}.p95TimesStable`, timesText(limits.p95TimesStable)],
  [`${path}.throughput`, shareText(limits.throughputPercent)],
  [`${path}.cpu`, shareText(limits.cpuPercent)],
  [`${path}.memory`, shareText(limits.memoryPercent)],
  [`${path}.disk`, shareText(limits.diskPercent)],
]

const targetValues = (targets: HealthTargets): Value[] => [
  ['analysis.targets.errorRate', shareText(targets.errorRatePercent)],
  ['analysis.targets.successRate', shareText(targets.successRatePercent)],
  ['analysis.targets.p50', latencyText(targets.p50Ms)],
  ['analysis.targets.p95', latencyText(targets.p95Ms)],
  ['analysis.targets.p99', latencyText(targets.p99Ms)],
  ['analysis.targets.cpu', shareText(targets.cpuPercent)],
  ['analysis.targets.memory', shareText(targets.memoryPercent)],
]

const latencyText = (ms: number | undefined): string => (ms === undefined ? 'off' : durationText(ms))

const timesText = (times: number | undefined): string => (times === undefined ? 'off' : String(times))
const shareText = (share: number | undefined): string => (share === undefined ? 'off' : percentText(share))

const crashesValues = ({ crashes }: ServiceSettings['analysis']['compare']): Value[] =>
  crashes === undefined
    ? [['analysis.compare.crashes', 'off']]
    : [['analysis.compare.crashes.ratio', String(crashes.ratio)]]

const forLongValues = ({ forLong }: CriticalLimits): Value[] =>
  forLong === undefined
    ? [['analysis.critical.forLong', 'off']]
    : [
        ['analysis.critical.forLong.throughput', shareText(forLong.throughputPercent)],
        ['analysis.critical.forLong.p95TimesStable', timesText(forLong.p95TimesStable)],
        ['analysis.critical.forLong.over', durationText(forLong.overMs)],
      ]

const sloValues = (slo: ServiceSettings['analysis']['slo']): Value[] =>
  slo === null ? [['analysis.slo', 'off']] : [['analysis.slo', sloText(slo)]]

const labelsText = (labels: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}: ${wordText(value)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

const sloText = ({ targetPercent, windowMs, slowerThanMs }: ServiceLevel): string =>
  `{ target: ${percentText(targetPercent)}, window: ${durationText(windowMs)}${slowerThanMs === null ? '' : `, slowerThan: ${durationText(slowerThanMs)}`} }`

const rollbackValues = ({ window, onFailure, breaker }: ServiceSettings['rollback']): Value[] => [
  ['rollback.window', String(window)],
  ['rollback.onFailure', onFailure],
  ...(breaker === null
    ? [['rollback.breaker', 'off'] as const]
    : [
        ['rollback.breaker.count', String(breaker.count)] as const,
        ['rollback.breaker.within', durationText(breaker.withinMs)] as const,
      ]),
]

const proberValues = (prober: ServiceSettings['prober']): Value[] =>
  prober === null
    ? [['prober', 'off']]
    : [
        ['prober.paths', listText(prober.paths)],
        ['prober.interval', durationText(prober.intervalMs)],
      ]

function channelText(channel: NotifyChannel): string {
  const how =
    channel.kind === 'webhook'
      ? `webhook: ${channel.url}, secret: ${channel.secret}`
      : `command: ${listText(channel.command)}`
  return `{ name: ${wordText(channel.name)}, ${how}, on: ${listText(channel.on)} }`
}

/** The whole of a metric is too much for one line: what it is, and where it comes from. */
const metricText = ({ name, measure, query, tier, everyMs }: MetricDefinition): string =>
  `{ name: ${name}, kind: ${measure.kind}, ${query.provider}, tier: ${tier}, every: ${durationText(everyMs)} }`
