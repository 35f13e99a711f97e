import type { PlanInput } from '../../core/plan/compose.ts'
import { composePlan } from '../../core/plan/compose.ts'
import type { Plan } from '../../core/plan/plan.ts'
import type { Release } from '../../core/release/release.ts'
import type { ServiceSettings } from '../../core/release/settings.ts'
import type {
  AbSettings,
  BlueGreenSettings,
  CanarySettings,
  RecreateSettings,
  RollingSettings,
  ShadowSettings,
} from '../../core/release/strategy-settings.ts'
import type { ServiceState } from '../../core/rollout/state.ts'
import type { NamedCheck } from '../../core/shared/health-check.ts'

/** Changes to the settings of a simulated service. */
export type SettingsChange = {
  strategy?: Partial<CanarySettings>
  /** Blue-green in place of the canary. */
  blueGreen?: Partial<BlueGreenSettings>
  /** An A/B test in place of the canary. */
  ab?: Partial<AbSettings>
  /** Copies of requests first, in place of the canary. */
  shadow?: Partial<ShadowSettings>
  /** One after the other in place of the canary. */
  recreate?: Partial<RecreateSettings>
  /** Batches in place of the canary. */
  rolling?: Partial<RollingSettings>
  analysis?: Partial<ServiceSettings['analysis']>
  rollback?: Partial<ServiceSettings['rollback']>
  verify?: ServiceSettings['verify']
  /** Named checks of health. */
  checks?: NamedCheck[]
  replicas?: number
  deadlineMs?: number
  drift?: ServiceSettings['drift']
  windows?: ServiceSettings['windows']
  onFreeze?: ServiceSettings['onFreeze']
}

/** A canary with stages of ten seconds and a watch of thirty: small numbers, all rules. */
export function simulatedSettings(change: SettingsChange = {}): ServiceSettings {
  return {
    service: 'shop',
    environment: 'local',
    production: false,
    run: {
      artifact: '/releases/{{version}}',
      command: ['server', '{{port}}'],
      replicas: change.replicas ?? 2,
      env: {},
      secrets: [],
      stopGraceMs: 1000,
      resources: {},
    },
    listen: { host: '127.0.0.1', port: 8080 },
    router: 'builtin',
    health: {
      path: '/up',
      intervalMs: 1000,
      timeoutMs: 1000,
      successes: 1,
      failures: 3,
      deadlineMs: change.deadlineMs ?? 20_000,
      ...(change.checks === undefined ? {} : { checks: change.checks }),
    },
    slowStartMs: 0,
    drain: { requestsMs: 5000, websocketsMs: 5000 },
    strategy: strategyOf(change),
    analysis: {
      alpha: 0.01,
      intervalMs: 1000,
      minRequests: 20,
      compare: { errors: { ratio: 1, points: 0.1 }, latency: { ratio: 1, points: 10 } },
      noticePoints: 1,
      dispersion: 1,
      warmUpMs: 2000,
      critical: { errorRatePercent: 5, p99Ms: 2000 },
      warning: { errorRatePercent: 1 },
      slo: null,
      alerts: { critical: 'rollback', warning: 'pause', match: {} },
      failingChecks: 3,
      failingInstancesPercent: 10,
      crashLimit: 5,
      targets: { errorRatePercent: 0.1, p99Ms: 500, cpuPercent: 70, memoryPercent: 80 },
      resourceFailureLimit: { limit: 3, of: 5 },
      newErrors: 'report',
      newErrorsAtLeast: 3,
      metrics: [],
      ...change.analysis,
    },
    verify: change.verify ?? [],
    rollback: {
      window: 3,
      onFailure: 'rollback',
      breaker: { count: 3, withinMs: 86_400_000 },
      ...change.rollback,
    },
    onControllerLoss: { kind: 'hold' },
    drift: change.drift ?? 'correct',
    windows: change.windows ?? [],
    onFreeze: change.onFreeze ?? 'hold',
    prober: null,
    notify: [],
  }
}

const stage = (weightPermille: number) => ({ weightPermille, pauseMs: 10_000, criteria: {} })

/** Half of the requests for a minute, and then everybody. */
const SHADOW: Omit<ShadowSettings, 'watchMs' | 'lightWatch' | 'holdMs' | 'readyPercent'> = {
  kind: 'shadow',
  steps: [{ weightPermille: 1000, pauseMs: 0, criteria: {} }],
  earliestMs: null,
  sharePermille: 500,
  methods: ['GET', 'HEAD'],
  idempotent: [],
  bodies: { kind: 'exact' },
  forMs: 60_000,
  criteria: {},
}

/** A quarter of the users each, for a minute. */
const AB: Omit<AbSettings, 'watchMs' | 'lightWatch' | 'holdMs' | 'readyPercent'> = {
  kind: 'ab',
  by: { kind: 'own-cookie' },
  variants: ['green', 'blue'].map((name) => ({ name, sharePermille: 250 })),
  forMs: 60_000,
  goal: { method: 'POST', path: '/orders' },
  atEnd: 'ask',
  alpha: 0.05,
}

function strategyOf(change: SettingsChange): ServiceSettings['strategy'] {
  const { strategy, blueGreen, rolling, recreate, ab, shadow } = change
  const arrival = { watchMs: 30_000, lightWatch: null, holdMs: 15_000, readyPercent: 100 }
  if (ab !== undefined) return { ...AB, ...arrival, ...ab }
  if (shadow !== undefined) return { ...SHADOW, ...arrival, ...shadow }
  if (recreate !== undefined)
    return { ...{ kind: 'recreate', retryAfterS: 5 }, ...arrival, holdMs: 0, ...recreate }
  if (rolling !== undefined)
    return {
      ...{
        kind: 'rolling' as const,
        surge: 1,
        unavailable: 0,
        minHealthy: null,
        pauseMs: 5000,
        criteria: {},
      },
      ...arrival,
      ...rolling,
    }
  const common = { ...arrival, earliestMs: null }
  if (blueGreen === undefined)
    return {
      kind: 'canary',
      steps: [stage(50), stage(250), stage(500), stage(1000)],
      ...common,
      ...strategy,
    }
  return {
    kind: 'blue-green',
    steps: [{ weightPermille: 1000, pauseMs: 0, criteria: {} }],
    switchAfterMs: 0,
    previewReplicas: null,
    warmMs: 60_000,
    ...common,
    ...blueGreen,
  }
}

export const releaseOf = (version: string): string => `${version}-r`

export function simulatedPlan(
  state: ServiceState,
  {
    version,
    settings,
    kind,
    now,
  }: { version: string; settings: ServiceSettings; kind: PlanInput['kind']; now: number },
): Plan {
  const { stable, rollout, previous } = state
  const position = previous.findIndex(({ release }) => release === releaseOf(version))
  const content = composePlan({
    release: releaseRecord(version, settings),
    stable: stable === null ? null : releaseRecord(stable.version, state.settings ?? settings),
    candidate: rollout === null || rollout.phase.kind === 'ended' ? null : rollout.plan.to.release,
    kind,
    back:
      kind === 'rollback' && position >= 0
        ? { releases: position + 1, window: settings.rollback.window }
        : null,
    history: { provisionMs: null, drainMs: null, trafficOffMs: [] },
    actor: 'ada',
    now,
    warnings: [],
  })
  return { ...content, id: `plan-${version}-${now}`, hash: `hash-${version}` }
}

export const releaseRecord = (version: string, settings: ServiceSettings): Release => ({
  id: releaseOf(version),
  stream: 'shop.local',
  version,
  artifact: { digest: `sha256:${version}`, folder: `/artifacts/${version}`, bytes: 1, files: 1 },
  settings,
  secretVersions: {},
  createdAt: 0,
  createdBy: 'ada',
  adopted: false,
})
