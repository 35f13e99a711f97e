import type { ServiceSettings } from '../../../core/release/settings.ts'
import type { Alert } from '../../../core/shared/alert.ts'
import type { MetricDefinition, MetricKind, MetricMeasure } from '../../../core/shared/metric-definition.ts'
import { METRIC_KINDS, METRIC_POLICIES } from '../../../core/shared/metric-definition.ts'
import { START_OF_TIME_MS } from './life.ts'
import type { Random } from './random.ts'

/** What a provider does instead of telling the truth. */
export type ProviderFault = 'lies' | 'empty' | 'zeros' | 'half' | 'failure' | 'retry-later' | 'nan' | 'silent'

/** What happens around declared metrics and alerts, at its time. */
export type SignalMove = { at: number } & (
  | { kind: 'provider'; metric: string; fault: ProviderFault; forMs: number }
  | { kind: 'alerts'; host: string; alerts: Alert[] }
)

/** What a world declares beyond the checks that are always made; `null` in most worlds. */
export type Signals = {
  settings: (own: ServiceSettings) => ServiceSettings
  /** A version that answers every request well, and still does the harm that the declared metrics count. */
  harmful: string | null
  /** A rollout for the sake of them, when most of the rest is over. */
  deploy: { at: number; host: string; version: string; settings: number }
  moves: SignalMove[]
  /** Nothing new goes wrong after this. */
  healAt: number
}

type Scene = {
  spanMs: number
  hosts: readonly string[]
  /** The first one is of what becomes stable. */
  deploys: readonly { at: number; version: string }[]
  isCalm: boolean
}

/** Share of the worlds with signals. They are drawn from a stream of their own: the other worlds know nothing of it. */
const SIGNALS_SHARE = 0.2

/** Until it has passed its stages, or was held up in them for a while. */
const LASTS_MS = 7000
const LATER_VERSIONS = ['2', '3', '4'] as const

export const BOUNDS = [0.1, 0.5, 1]

export function drawSignals(random: Random, scene: Scene): Signals | null {
  if (!random.chance(SIGNALS_SHARE)) return null
  const deploy = {
    at: scene.spanMs + random.int(0, 1000),
    host: random.pick(scene.hosts),
    version: random.pick(LATER_VERSIONS),
    settings: random.int(0, 3),
  }
  const harmful = random.chance(0.3) ? deploy.version : null
  const whole = { ...scene, deploy, endMs: deploy.at + LASTS_MS }
  // Where fewer are as bad as more, a good version beside a harmful one is as far off as the other way round.
  const directions: Direction[] = ['more-is-worse', 'less-is-worse', ...(harmful === null ? [EITHER] : [])]
  const metrics = Array.from({ length: random.int(1, 3) }, (_, index) =>
    drawMetric(random, { index, directions }),
  )
  const alerts = {
    critical: random.pick(['rollback', 'pause'] as const),
    warning: random.pick(['pause', 'report'] as const),
    match: {},
  }
  const slo = random.chance(0.3)
    ? {
        targetPercent: random.pick([99, 99.9]),
        windowMs: 30 * 86_400_000,
        slowerThanMs: random.chance(0.5) ? null : 1000,
      }
    : null
  return {
    settings: (own) => ({ ...own, analysis: { ...own.analysis, metrics, alerts, slo } }),
    harmful,
    deploy,
    moves: scene.isCalm ? [] : [...providerMoves(random, metrics, whole), ...alertMoves(random, whole)],
    healAt: whole.endMs + 1000,
  }
}

type Direction = Extract<MetricMeasure, { kind: 'value' }>['direction']
const EITHER: Direction = 'either'

function drawMetric(
  random: Random,
  { index, directions }: { index: number; directions: readonly Direction[] },
): MetricDefinition {
  const kind = random.pick(METRIC_KINDS)
  return {
    name: `${kind}-${index}`,
    measure: measureOf(random, kind, directions),
    query: { provider: 'command', command: ['count'], secrets: [] },
    tier: random.pick(['critical', 'critical', 'warning', 'report']),
    everyMs: random.int(2, 6) * 100,
    delayMs: random.pick([0, 0, 200]),
    timeoutMs: 500,
    badValues: random.pick(['failure', 'no-data']),
    noData: { afterMs: random.int(10, 25) * 100, policy: random.pick(POLICIES) },
    trouble: {
      failures: random.int(1, 3),
      retryMs: random.int(1, 4) * 100,
      policy: random.pick(POLICIES),
    },
  }
}

/** The one that acts more often than it would by itself. */
const POLICIES = [...METRIC_POLICIES, 'rollback'] as const
const COMPARED = { tolerance: { ratio: 1, points: 0.1 }, notice: { points: 1 } }

function measureOf(random: Random, kind: MetricKind, directions: readonly Direction[]): MetricMeasure {
  const direction = random.pick(directions)
  switch (kind) {
    case 'histogram':
      return { kind, bounds: BOUNDS, ...COMPARED }
    case 'value':
      return { kind, direction, warningPercent: 10, criticalPercent: random.pick([null, 40]) }
    case 'ratio':
    case 'rate':
      return { kind, direction, ...COMPARED }
  }
}

type Whole = Scene & { deploy: Signals['deploy']; endMs: number }

/** Mostly while there is somebody to be judged. */
const aimed = (random: Random, { deploy, endMs }: Whole): number =>
  random.chance(0.2) ? random.int(0, endMs) : random.int(deploy.at + 500, endMs - 1000)

function providerMoves(random: Random, metrics: readonly MetricDefinition[], scene: Whole): SignalMove[] {
  return Array.from({ length: random.int(1, 4) }, () => ({
    at: aimed(random, scene),
    kind: 'provider' as const,
    metric: random.pick(metrics).name,
    fault: random.pick<ProviderFault>([
      'lies',
      'empty',
      'zeros',
      'half',
      'failure',
      'retry-later',
      'nan',
      'silent',
    ]),
    forMs: random.int(500, 6000),
  }))
}

/** Alerts fire and end at random moments. Deliveries come twice, late, in one, or with an end nobody heard the begin of. */
function alertMoves(random: Random, scene: Whole): SignalMove[] {
  const { endMs, hosts, deploys, deploy } = scene
  return Array.from({ length: random.int(0, 4) }, (_, index) => {
    const begin = aimed(random, scene)
    const firing: Alert = {
      fingerprint: `alert-${index}`,
      name: `Alert${index}`,
      status: 'firing',
      labels: {
        service: 'shop',
        severity: random.pick(['critical', 'critical', 'warning', 'warning', 'info']),
        ...(random.chance(0.3) ? { version: random.pick([...deploys, deploy]).version } : {}),
      },
      summary: 'something is wrong',
      link: null,
      // Some were firing long before anybody heard of them.
      startsAt: START_OF_TIME_MS + Math.max(0, begin - random.pick([0, 0, 300, 5000])),
    }
    const resolved: Alert = { ...firing, status: 'resolved' }
    const sent = (at: number, alerts: Alert[]): SignalMove => ({
      at: Math.min(at, endMs),
      kind: 'alerts',
      host: random.pick(hosts),
      alerts,
    })
    const end = begin + random.int(200, 6000)
    return [
      sent(begin, [firing]),
      ...(random.chance(0.5) ? [sent(begin + random.int(0, 3000), [firing, firing])] : []),
      ...(random.chance(0.7) ? [sent(end, [resolved])] : []),
      ...(random.chance(0.3) ? [sent(end + random.int(0, 1000), [resolved, firing])] : []),
      ...(random.chance(0.3)
        ? [sent(end + 500, [{ ...firing, startsAt: START_OF_TIME_MS + end + 500 }])]
        : []),
    ]
  }).flat()
}
