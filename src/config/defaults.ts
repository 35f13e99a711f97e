/**
 * Every default, written as in the file. The resolver parses them with the same schema as the file, the JSON Schema and
 * the reference print them, so a default stands in one place only.
 */
export const DEFAULTS = {
  run: {
    artifact: '.',
    replicas: 1,
    envFile: [],
    env: {},
    secrets: [],
    stopGrace: '10s',
    volumes: [],
    secretFiles: false,
    resources: {},
  },
  health: {
    interval: '1s',
    timeout: '1s',
    successes: 2,
    failures: 3,
    deadline: '60s',
    start: 'off',
    live: 'off',
    checks: [],
    slowStart: '0s',
    outlier: { failures: 5, for: '10s', max: '50%' },
  },
  drain: { requests: '30s', websockets: '60s' },
  strategy: { canary: { preset: 'standard', watch: '60m', earliest: 'off', hold: '30s', ready: '100%' } },
  analysis: {
    alpha: '1%',
    interval: '1s',
    minRequests: 100,
    compare: {
      errors: { ratio: 1, points: '0.1%' },
      latency: { ratio: 1.1, points: '1%' },
      crashes: { ratio: 1 },
    },
    notice: '1%',
    dispersion: 'auto',
    warmUp: '30s',
    critical: {
      errorRate: '1%',
      errorPointsOverStable: '5%',
      p99: '1000ms',
      p95TimesStable: 2,
      throughput: 'off',
      cpu: 'off',
      memory: 'off',
      disk: 'off',
      forLong: { throughput: '50%', p95TimesStable: 1.5, over: '5m' },
    },
    warning: {
      errorRate: '0.5%',
      errorPointsOverStable: 'off',
      p99: '500ms',
      p95TimesStable: 'off',
      throughput: '50%',
      cpu: '80%',
      memory: '85%',
      disk: '80%',
    },
    resourceFailureLimit: { limit: 3, of: 5 },
    targets: {
      errorRate: '0.1%',
      successRate: '99.95%',
      p50: '100ms',
      p95: '300ms',
      p99: '500ms',
      cpu: '70%',
      memory: '80%',
    },
    dryRun: [],
    slo: 'off',
    alerts: { critical: 'pause', warning: 'report', match: {} },
    failingChecks: 3,
    failingInstances: '10%',
    crashLimit: 3,
    newErrors: 'report',
    newErrorsAtLeast: 3,
    metrics: [],
  },
  verify: [],
  rollback: { window: 3, onFailure: 'rollback', breaker: { count: 3, within: '24h' } },
  onControllerLoss: 'hold',
  router: 'builtin',
  limits: 'off',
  accessLog: 'off',
  drift: 'correct',
  windows: [],
  onFreeze: 'hold',
  prober: { interval: '200ms' },
  notify: [],
} as const

/** What a declared metric has without saying so. */
export const METRIC_DEFAULTS = {
  tier: 'warning',
  tolerance: { ratio: 1, points: '0.1%' },
  notice: '1%',
  deviation: { warning: '10%', critical: 'off' },
  failureLimit: { limit: 3, of: 5 },
  every: '30s',
  delay: '0s',
  timeout: '5s',
  badValues: 'failure',
  onNoData: { after: '5m', policy: 'hold' },
  onTrouble: { failures: 5, retry: '2s', policy: 'hold' },
} as const
/** What `health.live` has without saying so: slower than the check for readiness, since a restart is the larger step. */
export const LIVE_DEFAULTS = { interval: '10s', timeout: '5s', failures: 3 } as const
/** What an item of `health.checks` has without saying so. */
export const NAMED_CHECK_DEFAULTS = {
  kind: 'dependency',
  every: '30s',
  timeout: '5s',
  failures: 2,
  onFailure: 'report',
} as const
/** What a check of `verify` has without saying so. */
export const VERIFY_DEFAULTS = { when: 'both', timeout: '30s' } as const
/** What `blueGreen` has without saying so; the rest is as with canary. */
export const DEFAULT_BLUE_GREEN = { switch: '0s', warm: '0s', warmInProduction: '24h' } as const
/** `sticky` of a canary. */
export const DEFAULT_STICKY = { cookie: 'sluice-release', for: '24h' } as const
/** What `ab` has without saying so. */
export const DEFAULT_AB = { by: 'cookie', for: '14d', atEnd: 'ask', alpha: '5%' } as const
/** What `shadow` has without saying so; the rest is as with canary. */
export const DEFAULT_SHADOW = {
  share: '10%',
  for: '10m',
  methods: ['GET', 'HEAD'],
  compare: { body: 'off', volatile: 'ignore', limit: '1%' },
} as const
/** `health: none`: a worker counts as ready after it has run for so long. */
export const DEFAULT_RUNS = '10s'
/** `health.start`: what boots slowly is asked as often as what is ready, and has longer. */
export const START_DEFAULTS = { interval: '1s', timeout: '1s', deadline: '5m' } as const
/** `run.quiesce.command`. */
export const DEFAULT_QUIESCE_TIMEOUT = '30s'
/** `accessLog: on`. */
export const DEFAULT_ACCESS_LOG = { sample: '100%', query: false } as const
/** After `run.quiesce`. */
export const DEFAULT_GRACE = '10m'
/** What `rolling` has without saying so; the rest is as with canary. */
export const DEFAULT_ROLLING = { surge: 1, unavailable: 0, pause: '10s' } as const
/** What `recreate` has without saying so; the rest is as with canary. */
export const DEFAULT_RECREATE = { retryAfter: '5s' } as const
/** The watch after the watch: in production, unless the file says otherwise. */
export const DEFAULT_LIGHT_WATCH = { for: '24h', onFinding: 'alarm' } as const
/** `analysis.slo` without a window. */
export const DEFAULT_SLO_WINDOW = '30d'
/** `onControllerLoss: revert` without a time. */
export const DEFAULT_REVERT_AFTER = '10m'
/** A step of a written list without `pause`. */
export const DEFAULT_STEP_PAUSE = '10m'
/** A notification channel without `on`: everything. */
export const DEFAULT_NOTIFY_ON = ['*']
