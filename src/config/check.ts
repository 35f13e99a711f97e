import type { ServiceSettings } from '../core/release/settings.ts'
import { isWorker } from '../core/release/worker.ts'
import type { Complaint } from './complaint.ts'
import { durationText } from './units.ts'

/** What cannot work together, although each value is fine by itself. `paths` are the keys to blame, the first one by name. */
export type Conflict = Complaint & { paths: string[] }

export function conflictsIn(settings: ServiceSettings): Conflict[] {
  return [
    ...healthConflicts(settings),
    ...watchConflicts(settings),
    ...previewConflicts(settings),
    ...batchConflicts(settings),
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

function healthConflicts({ health }: ServiceSettings): Conflict[] {
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
  const { strategy, verify, prober, health, run } = settings
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
  const needsRoutes = strategy.kind !== 'canary' && strategy.kind !== 'rolling'
  const besides = strategy.kind === 'canary' ? ['preview', 'routes', 'sticky'] : []
  const side = besides.find((key) => Object.hasOwn(strategy, key))
  const asked = (path: string, remedy: string) =>
    conflict([path, 'listen'], 'needs an address, and this service has none (listen: none)', remedy)
  return [
    ...(needsRoutes
      ? [asked(`strategy.${name}`, 'Write canary or rolling: both go by share of instances.')]
      : []),
    ...(side === undefined ? [] : [asked(`strategy.canary.${side}`, 'Remove it.')]),
    ...(verify.length === 0 ? [] : [asked('verify', 'Remove it, and use health.checks or a metric.')]),
    ...(prober === null ? [] : [asked('prober', 'Write prober: off.')]),
    ...('path' in health
      ? [
          asked(
            'health.path',
            'Write health: { command: ... } with a program that ends with 0 while the worker is well.',
          ),
        ]
      : []),
  ]
}

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

function previewOf(strategy: ServiceSettings['strategy']): { path: string; address: Address } | null {
  if (strategy.kind !== 'canary' && strategy.kind !== 'blue-green') return null
  const path = `strategy.${strategy.kind === 'canary' ? 'canary' : 'blueGreen'}.preview`
  return strategy.preview === undefined ? null : { path, address: strategy.preview }
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

/** The agent sets these itself for every instance. */
const RESERVED = ['PORT', 'SLUICE_VERSION']

function runConflicts({ run }: ServiceSettings): Conflict[] {
  const names = Object.keys(run.env)
  return [
    ...names
      .filter((name) => RESERVED.includes(name))
      .map((name) =>
        conflict(
          [`run.env.${name}`],
          'is set by Sluice for each instance',
          'Remove it. To pass the port under another name, write for example HTTP_PORT: "{{port}}".',
        ),
      ),
    ...run.secrets
      .filter((name) => Object.hasOwn(run.env, name))
      .map((name) =>
        conflict(
          ['run.secrets'],
          `holds ${name}, which run.env sets as well`,
          'Remove it from one of the two.',
        ),
      ),
    ...run.secrets
      .filter((name) => RESERVED.includes(name))
      .map((name) =>
        conflict(['run.secrets'], `holds ${name}, which is set by Sluice for each instance`, 'Remove it.'),
      ),
    ...repeated(run.secrets, 'run.secrets', 'a name'),
  ]
}

const repeated = (names: readonly string[], path: string, what: string): Conflict[] =>
  [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map((name) =>
    conflict([path], `has ${what} twice: ${name}`, 'Remove one of the two.'),
  )

/** Two services cannot take traffic at one address. Port 0 is a different port each time. */
export function sharedAddresses(all: readonly ServiceSettings[]): { service: string; conflict: Conflict }[] {
  return all.flatMap((settings, index) =>
    addressesOf(settings).flatMap(({ path, address }) => {
      const other = all
        .slice(0, index)
        .find((earlier) => addressesOf(earlier).some((taken) => sameAddress(taken.address, address)))
      if (other === undefined) return []
      return [
        {
          service: settings.service,
          conflict: {
            paths: [path],
            code: 'CONFIG_SAME_ADDRESS',
            message: `is ${addressText(address)}, where ${other.service} listens already`,
            remedy: 'Give each service a port of its own.',
          },
        },
      ]
    }),
  )
}

/** Where a service listens: for live traffic, and for those who look at the candidate. */
function addressesOf({ listen, strategy }: ServiceSettings) {
  const preview = previewOf(strategy)
  return [
    ...(listen === null ? [] : [{ path: 'listen', address: listen }]),
    ...(preview === null ? [] : [preview]),
  ]
}

type Address = NonNullable<ServiceSettings['listen']>

const addressText = ({ host, port }: Address): string => `${host}:${port}`

function sameAddress(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false
  const [hostA, hostB] = [plainHost(a.host), plainHost(b.host)]
  return hostA === hostB || hostA === '*' || hostB === '*'
}

function plainHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '*'
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : host.toLowerCase()
}

const conflict = (paths: string[], message: string, remedy: string): Conflict => ({
  paths,
  code: 'CONFIG_CONFLICT',
  message,
  remedy,
})
