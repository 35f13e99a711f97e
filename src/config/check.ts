import type { ServiceSettings } from '../core/release/settings.ts'
import { isWorker } from '../core/release/worker.ts'
import { readyCheckOf } from '../core/shared/set-spec.ts'
import { alsoConflicts } from './check-also.ts'
import { entryConflicts } from './check-entry.ts'
import { runConflicts } from './check-run.ts'
import { shadowConflicts } from './check-shadow.ts'
import { type Conflict, conflict, repeated } from './conflict.ts'
import { DEFAULT_RECREATE } from './defaults.ts'
import { addressText, previewOf, sameAddress } from './shared-addresses.ts'
import { durationText, msOf } from './units.ts'

export function conflictsIn(settings: ServiceSettings): Conflict[] {
  return [
    ...healthConflicts(settings),
    ...watchConflicts(settings),
    ...previewConflicts(settings),
    ...alsoConflicts(settings),
    ...entryConflicts(settings).map(({ paths, message, remedy }) => conflict(paths, message, remedy)),
    ...batchConflicts(settings),
    ...shadowConflicts(settings),
    ...workerConflicts(settings),
    ...failureLimitConflicts(settings),
    ...runConflicts(settings),
    ...repeated(
      settings.notify.map((channel) => channel.name),
      'notify',
      'a channel',
    ),
    ...repeated(
      settings.analysis.metrics.map((metric) => metric.name),
      'analysis.metrics',
      'a metric',
    ),
  ]
}

function healthConflicts({ health, listen }: ServiceSettings): Conflict[] {
  const check = readyCheckOf(health)
  if (check.kind === 'runs' && listen !== null) return [runsAndListens()]
  if (check.kind === 'runs' && check.forMs >= health.deadlineMs)
    return [neverRunsSoLong(check.forMs, health.deadlineMs)]
  const soonestMs = (health.successes - 1) * health.intervalMs
  if (soonestMs < health.deadlineMs) return []
  return [
    conflict(
      ['health.deadline', 'health.successes', 'health.interval'],
      `is ${durationText(health.deadlineMs)}, but ${health.successes} successes take at least ${durationText(soonestMs)}, so that no instance could ever become ready`,
      `Write a deadline above ${durationText(soonestMs)}, or fewer successes.`,
    ),
  ]
}

const runsAndListens = (): Conflict =>
  conflict(
    ['health.runs', 'listen'],
    'is for workers: that it runs does not say that it takes requests, and this service listens',
    'Write health: { path: ... } or at least health: { tcp: true }. A worker has listen: none.',
  )

const neverRunsSoLong = (forMs: number, deadlineMs: number): Conflict =>
  conflict(
    ['health.runs', 'health.deadline'],
    `is ${durationText(forMs)}, not below the deadline of ${durationText(deadlineMs)}, so that no instance could ever become ready`,
    `Write a deadline above ${durationText(forMs)}.`,
  )

function watchConflicts({ strategy, analysis }: ServiceSettings): Conflict[] {
  const key = strategy.kind === 'blue-green' ? 'blueGreen' : strategy.kind
  if (strategy.watchMs >= analysis.intervalMs) return []
  return [
    conflict(
      [`strategy.${key}.watch`, 'analysis.interval'],
      `is ${durationText(strategy.watchMs)}, shorter than the ${durationText(analysis.intervalMs)} between two looks of the analysis, so that nothing would be watched`,
      `Write at least ${durationText(analysis.intervalMs)}.`,
    ),
  ]
}

/** Nothing comes in at a worker: what needs an address, or two sets beside each other, has no meaning. */
function workerConflicts(settings: ServiceSettings): Conflict[] {
  const { strategy, verify, prober, health, run, outlier, limits, accessLog } = settings
  if (!isWorker(settings))
    return run.quiesce === undefined
      ? []
      : [
          conflict(
            ['run.quiesce', 'listen'],
            'is for workers, and this service listens: the data plane drains its instances',
            'Remove it, or write listen: none.',
          ),
        ]
  const name = strategy.kind === 'blue-green' ? 'blueGreen' : strategy.kind
  const needsRoutes = !['canary', 'rolling', 'recreate'].includes(strategy.kind)
  const besides = strategy.kind === 'canary' ? ['preview', 'routes', 'sticky'] : []
  const side = besides.find((key) => Object.hasOwn(strategy, key))
  const asked = (path: string, remedy: string) =>
    conflict([path, 'listen'], 'needs an address, and this service has none (listen: none)', remedy)
  return [
    ...(needsRoutes
      ? [asked(`strategy.${name}`, 'Write canary or rolling, which go by share of instances, or recreate.')]
      : []),
    ...(isTold(strategy) ? [asked('strategy.recreate.retryAfter', 'Remove it.')] : []),
    ...untimelyQuiesce(run.quiesce),
    ...(side === undefined ? [] : [asked(`strategy.canary.${side}`, 'Remove it.')]),
    ...(verify.length === 0 ? [] : [asked('verify', 'Remove it, and use health.checks or a metric.')]),
    ...(outlier === undefined ? [] : [asked('health.outlier', 'Remove it.')]),
    ...(limits === undefined ? [] : [asked('limits', 'Remove it.')]),
    ...(accessLog === undefined ? [] : [asked('accessLog', 'Remove it: see sluice logs.')]),
    ...(prober === null ? [] : [asked('prober', 'Write prober: off.')]),
    ...('path' in health
      ? [
          asked(
            'health.path',
            'Write health: { command: ... } with a program that ends with 0 while the worker is well, or health: none.',
          ),
        ]
      : []),
  ]
}

/** The program is to have ended while the worker still has its time. */
function untimelyQuiesce(quiesce: ServiceSettings['run']['quiesce']): Conflict[] {
  if (quiesce === undefined || !('command' in quiesce) || quiesce.timeoutMs < quiesce.graceMs) return []
  return [
    conflict(
      ['run.quiesce.timeout', 'run.grace'],
      `is ${durationText(quiesce.timeoutMs)}, not below the ${durationText(quiesce.graceMs)} that the worker is given`,
      'Write a shorter timeout, or a longer run.grace.',
    ),
  ]
}

/** Nobody asks a worker, so that nobody could be told to come back. */
const isTold = (strategy: ServiceSettings['strategy']): boolean =>
  strategy.kind === 'recreate' && 1000 * strategy.retryAfterS !== msOf(DEFAULT_RECREATE.retryAfter)

/** Batches that could never begin, or that would leave nobody serving. */
function batchConflicts({ strategy, run }: ServiceSettings): Conflict[] {
  if (strategy.kind !== 'rolling') return []
  const { surge, unavailable, minHealthy } = strategy
  const path = 'strategy.rolling'
  if (minHealthy !== null && minHealthy > run.replicas)
    return [
      conflict(
        [`${path}.minHealthy`, 'run.replicas'],
        `is ${minHealthy}, more than the ${run.replicas} of run.replicas`,
        `Write at most ${run.replicas}.`,
      ),
    ]
  const missing = Math.min(unavailable, run.replicas - (minHealthy ?? 0))
  if (surge === 0 && missing < 1)
    return [
      conflict(
        [`${path}.surge`, `${path}.unavailable`, `${path}.minHealthy`],
        'is 0 and no instance may be missing, so that no batch could ever begin',
        'Allow a surge of 1, or one unavailable instance.',
      ),
    ]
  if (surge > 0 || missing < run.replicas) return []
  return [
    conflict(
      [`${path}.unavailable`, 'run.replicas'],
      `is ${unavailable} of ${run.replicas}, so that nobody would serve`,
      'Write fewer, or allow a surge of 1.',
    ),
  ]
}

function previewConflicts({ strategy, listen }: ServiceSettings): Conflict[] {
  const preview = previewOf(strategy)
  if (preview === null) return []
  const { path, address } = preview
  const why =
    address.port === 0
      ? 'another port each time, so that nobody would know where to look'
      : listen !== null && sameAddress(address, listen)
        ? 'where live traffic comes in'
        : null
  if (why === null) return []
  return [conflict([path, 'listen'], `is ${addressText(address)}, ${why}`, 'Give it a port of its own.')]
}

function failureLimitConflicts({ analysis }: ServiceSettings): Conflict[] {
  const { limit, of } = analysis.resourceFailureLimit
  if (limit <= of) return []
  return [
    conflict(
      ['analysis.resourceFailureLimit.limit', 'analysis.resourceFailureLimit.of'],
      `is ${limit} of the last ${of}, which is never`,
      'Write at most "of".',
    ),
  ]
}
