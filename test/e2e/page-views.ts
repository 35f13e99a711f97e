import type { RolloutEvidence } from '../../src/core/rollout/replay/rollout-evidence.ts'
import type {
  CheckView,
  RolloutSeries,
  RolloutSummary,
  RolloutView,
  ServiceView,
  SetView,
  StepView,
  TimelineEntry,
} from '../../src/core/rollout/view/view.ts'
import { evidenceOf, rollOut } from '../../src/testkit/simulator/course.test.kit.ts'
import { declaredMetrics } from './page-declared.ts'

/** Views of the shape the engine makes, with every part of the page filled. `now` is when they are looked at. */

const DIGEST = 'sha256:4f0c9a7be21d6c3385af77d0b1e6f2a9c4d8e7b6a5f4e3d2c1b0a99887766554'

export function runningView(now: number): ServiceView {
  const rollout = canary(now)
  return {
    ...service('shop', now),
    stable: { release: 'release-a1', version: '1.0.0', since: now - 3 * 86_400_000 },
    sets: [
      set(now, { role: 'stable', version: '1.0.0', release: 'release-a1', weight: 750, instances: 2 }),
      set(now, { role: 'candidate', version: '1.1.0', release: 'release-b2', weight: 250, instances: 2 }),
    ],
    rollout,
    timeline: timeline(now),
    actions: rollout.actions,
  }
}

export function rolledBackView(now: number): ServiceView {
  const rollout = rolledBack(now)
  const held = set(now, { role: 'held', version: '2.4.0', release: 'release-d4', weight: 0, instances: 1 })
  return {
    ...service('api', now, true),
    stable: { release: 'release-c3', version: '2.3.1', since: now - 12 * 86_400_000 },
    sets: [
      set(now, { role: 'stable', version: '2.3.1', release: 'release-c3', weight: 1000, instances: 3 }),
      { ...held, ready: 0, instances: held.instances.map((instance) => crashed(instance, now)) },
    ],
    rollout,
    timeline: timeline(now).slice(0, 4),
    actions: [
      { name: 'promote', allowed: false, whyNot: 'no rollout is in progress' },
      { name: 'abort', allowed: false, whyNot: 'no rollout is in progress' },
      { name: 'rollback', allowed: true, whyNot: null },
    ],
    warnings: ['The agent was restarted 4 minutes ago; it found all 4 instances again.'],
  }
}

export function idleView(now: number): ServiceView {
  return {
    ...service('worker', now),
    stable: { release: 'release-e5', version: '0.9.2', since: now - 7_200_000 },
    sets: [set(now, { role: 'stable', version: '0.9.2', release: 'release-e5', weight: 1000, instances: 1 })],
  }
}

function service(name: string, now: number, production = false): ServiceView {
  const environment = production ? 'production' : 'local'
  return {
    schemaVersion: 1,
    asOf: now,
    revision: 1,
    stream: `${name}.${environment}`,
    service: name,
    environment,
    production,
    listen: '127.0.0.1:8080',
    freeze: null,
    drift: null,
    lightWatch: null,
    stable: null,
    sets: [],
    rollout: null,
    queued: null,
    timeline: [],
    actions: [],
    warnings: [],
  }
}

type SetShape = { role: SetView['role']; version: string; release: string; weight: number; instances: number }

function set(now: number, { role, version, release, weight, instances }: SetShape): SetView {
  return {
    release,
    version,
    role,
    leavesAt: null,
    wanted: instances,
    ready: instances,
    desiredWeightPermille: weight,
    observedWeightPermille: weight,
    inFlight: role === 'held' ? 0 : 3,
    instances: Array.from({ length: instances }, (_, index) => ({
      id: `${release}-${index + 1}`,
      service: 'shop',
      release,
      state: 'ready',
      host: '127.0.0.1',
      port: 41_230 + index,
      pid: 20_411 + index,
      startedAt: now - 95_000,
      readyAt: now - 93_000,
      crashes: 0,
      consecutiveProbeFailures: 0,
      lastProbeFailure: null,
      lastExit: null,
      logTail: [],
    })),
  }
}

const crashed = (instance: SetView['instances'][number], now: number): SetView['instances'][number] => ({
  ...instance,
  state: 'crashed',
  pid: null,
  crashes: 3,
  consecutiveProbeFailures: 4,
  lastProbeFailure: {
    kind: 'status',
    message: 'GET http://127.0.0.1:41230/up answered 503: "database migrations are missing"',
    at: now - 40_000,
  },
  lastExit: { code: 1, signal: null, cause: 'exited', at: now - 35_000 },
  logTail: [
    '14:31:02 listening on 41230',
    '14:31:04 error: relation "orders_v2" does not exist',
    '14:31:04     at Query.run (/app/db.js:118:11)',
    '14:31:05 giving up after 3 attempts',
  ],
})

const STEPS: [label: string, kind: string, plannedMs: number | null, weight: number | null][] = [
  ['start 2 instances', 'provision', 20_000, null],
  ['traffic 5%', 'traffic', null, 50],
  ['observe 30s', 'observe', 30_000, null],
  ['traffic 25%', 'traffic', null, 250],
  ['observe 1m', 'observe', 60_000, null],
  ['traffic 50%', 'traffic', null, 500],
  ['observe 1m', 'observe', 60_000, null],
  ['traffic 100%', 'traffic', null, 1000],
  ['watch 2m', 'watch', 120_000, null],
  ['make it stable', 'promote', null, null],
  ['drain the old set', 'drain', 30_000, null],
  ['stop the old set', 'retire', 0, null],
]

function steps(now: number, active: number, stopped = false): StepView[] {
  const took = [8200, 340, 30_100, 410]
  let at = now - 60_000
  return STEPS.map(([label, kind, plannedMs, weightPermille], index) => {
    const startedAt = index <= active ? at : null
    const endedAt = index < active || (stopped && index === active) ? at + (took[index] ?? 21_300) : null
    at = endedAt ?? at
    const state =
      stopped && index > active
        ? 'skipped'
        : endedAt !== null
          ? 'done'
          : index === active
            ? 'active'
            : 'planned'
    return { index, label, kind, state, weightPermille, plannedMs, startedAt, endedAt }
  })
}

function checks(now: number): CheckView[] {
  void now
  return [
    {
      name: 'error rate',
      tier: 'critical',
      verdict: 'ok',
      stable: '0.21% errors (14 of 6570)',
      candidate: '0.16% errors (3 of 1842)',
      threshold: '5%',
      samples: 1842,
      sentence: '3 of 1,842 requests failed; 5% would end the rollout.',
      evidence: { logE: 0, threshold: 6.4, crossedAt: null },
    },
    {
      name: 'errors against stable',
      tier: 'compare',
      verdict: 'not-worse',
      stable: '0.21% errors (14 of 6570)',
      candidate: '0.16% errors (3 of 1842)',
      threshold: 'stable + 0.5 points',
      samples: 1842,
      sentence: 'The interval of the difference is -0.31 to +0.22 points.',
      evidence: { logE: 0.3, threshold: 5.7, crossedAt: null },
    },
    {
      name: 'p99 latency',
      tier: 'compare',
      verdict: 'watching',
      stable: '84 ms',
      candidate: '91 ms',
      threshold: '1.3 x stable',
      samples: 1842,
      sentence: 'About 400 more requests are needed for a verdict.',
    },
    {
      name: 'memory growth',
      tier: 'warning',
      verdict: 'no-data',
      stable: '–',
      candidate: '–',
      threshold: '10%/h',
      samples: 0,
      sentence: 'The target reports no memory figures.',
    },
  ]
}

const judged: Pick<RolloutView, 'risk' | 'recommendation'> = {
  risk: {
    level: 'high',
    sentence: 'High risk by scope of change.',
    factors: [
      {
        name: 'scope of change',
        level: 'high',
        known: true,
        evidence: ['The schema of the data changes: 41 → 42.', 'Configuration: run.env.LOG_LEVEL.'],
      },
      { name: 'timing', level: 'low', known: true, evidence: ['Not known: who is on call.'] },
    ],
    rollback: {
      forecastMs: 120,
      text: '120ms (the longest of the last 3 that were measured)',
      raises: false,
    },
  },
  recommendation: {
    strategy: 'blue-green',
    reasons: ['The release changes the schema.'],
    used: 'canary',
    differs: true,
  },
}

function canary(now: number): RolloutView {
  return {
    id: 'rollout-7k2m9p',
    attempt: 1,
    before: null,
    checklist: [],
    newErrors: [],
    stream: 'shop.local',
    service: 'shop',
    environment: 'local',
    from: { release: 'release-a1', version: '1.0.0' },
    to: { release: 'release-b2', version: '1.1.0', digest: DIGEST },
    strategy: 'canary standard',
    plan: { id: 'plan-3f8a', hash: 'b7c1d2' },
    ...judged,
    actor: 'ada',
    startedAt: now - 60_000,
    endedAt: null,
    state: 'running',
    outcome: null,
    sentence: 'shop 1.1.0 in local: step 5 of 12, 25% of traffic for 19s; waits for the step time',
    reason: {
      code: 'STEP_DONE',
      message: 'the router confirmed 25% after 410ms',
      evidence: {},
      actor: { kind: 'engine', name: 'sluice' },
    },
    waitingOn: {
      kind: 'time',
      who: 'the clock',
      until: now + 41_000,
      message: 'the step time',
    },
    step: { index: 4, total: 12 },
    steps: steps(now, 4),
    weight: { desiredPermille: 250, observedPermille: 250 },
    sharedBy: 'traffic',
    checks: checks(now),
    targets: [
      { name: 'success rate', value: '99.81%', limit: '99.9%', met: false },
      { name: 'p95 latency', value: '61 ms', limit: '200 ms', met: true },
    ],
    loss: { probes: 312, probesLost: 0, requests: 12_412, requestsLost: 0, cutOnDrain: 0 },
    exposure: { requests: 1842, errors: 3 },
    trafficOffMs: null,
    actions: [
      { name: 'promote', allowed: true, whyNot: null },
      { name: 'promote-full', allowed: true, whyNot: null },
      { name: 'pause', allowed: true, whyNot: null },
      { name: 'resume', allowed: false, whyNot: 'it is not paused' },
      { name: 'abort', allowed: true, whyNot: null },
      { name: 'rollback', allowed: true, whyNot: null },
    ],
    problem: null,
  }
}

export function rolledBack(now: number): RolloutView {
  return {
    ...canary(now),
    id: 'rollout-5c1x0d',
    stream: 'api.production',
    service: 'api',
    environment: 'production',
    from: { release: 'release-c3', version: '2.3.1' },
    to: { release: 'release-d4', version: '2.4.0', digest: DIGEST },
    endedAt: now - 30_000,
    state: 'ended',
    outcome: 'rolled_back',
    sentence:
      'api 2.4.0 in production: rolled back. Error rate: candidate 10.8% errors (41 of 380), limit 5%.',
    reason: {
      code: 'CHECK_CRITICAL',
      message: 'error rate: candidate 10.8% errors (41 of 380), limit 5%',
      evidence: { failed: 41, requests: 380 },
      actor: { kind: 'engine', name: 'sluice' },
    },
    waitingOn: null,
    steps: steps(now, 2, true),
    weight: { desiredPermille: 0, observedPermille: 50 },
    checks: [...checks(now), ...declaredMetrics().views].map((check, index) =>
      index === 0
        ? {
            ...check,
            verdict: 'critical',
            candidate: '10.8%',
            samples: 380,
            sentence: '41 of 380 requests failed; the limit is 5%.',
          }
        : check,
    ),
    exposure: { requests: 380, errors: 41 },
    loss: { probes: 96, probesLost: 0, requests: 7301, requestsLost: 0, cutOnDrain: 0 },
    trafficOffMs: 420,
    actions: [],
    problem: {
      code: 'CHECK_CRITICAL',
      message: '2.4.0 failed 41 of 380 requests.',
      cause: 'POST /orders answered 500: relation "orders_v2" does not exist.',
      remedy: 'Run the migration of 2.4.0 first, then deploy it again.',
      retryable: false,
    },
  }
}

function timeline(now: number): TimelineEntry[] {
  const texts: [ms: number, level: TimelineEntry['level'], text: string, actor: string][] = [
    [60_000, 'info', 'deploy of 1.1.0 began', 'ada'],
    [58_000, 'info', 'starting 2 of 1.1.0', 'sluice'],
    [52_000, 'warning', 'release-b2-2 answered its first probe after 6s.', 'sluice'],
    [50_000, 'good', '2 of 2 instances are ready.', 'sluice'],
    [49_000, 'info', 'The weight of 1.1.0 was set to 5%; the router confirmed it after 34ms.', 'sluice'],
    [20_000, 'good', '4 checks are green over 410 requests; the rollout goes on.', 'sluice'],
    [19_000, 'info', 'shares decided: 1.0.0 75%, 1.1.0 25%', 'sluice'],
  ]
  return texts.map(([ago, level, text, actor], index) => ({
    sequence: index + 1,
    at: now - ago,
    kind: 'note',
    text,
    actor,
    level,
  }))
}

export function history(now: number): RolloutSummary[] {
  const one = (
    id: string,
    days: number,
    outcome: RolloutSummary['outcome'],
    reason: string,
  ): RolloutSummary => ({
    id,
    stream: 'shop.local',
    from: { release: 'release-z9', version: '0.9.8' },
    to: { release: 'release-a1', version: '1.0.0' },
    outcome,
    reason,
    actor: 'ada',
    startedAt: now - days * 86_400_000,
    endedAt: outcome === null ? null : now - days * 86_400_000 + 184_000,
    requestsLost: 0,
  })
  return [
    one('rollout-7k2m9p', 0, null, 'In progress.'),
    one('rollout-5c1x0d', 3, 'promoted', 'All 4 checks stayed green.'),
    one('rollout-2a8b3c', 5, 'rolled_back', 'Error rate was 10.8% over 380 requests; the limit is 5%.'),
  ]
}

/** Sixty points, one a second; the weight climbs, the candidate is a little slower. */
export function series(rollout: string, now: number): RolloutSeries {
  const index = Array.from({ length: 60 }, (_, at) => at)
  const wave = (at: number, speed: number) => Math.sin(at / speed)
  const weight = (at: number) => (at < 11 ? 0 : at < 41 ? 50 : 250)
  return {
    rollout,
    at: index.map((at) => now - (60 - at) * 1000),
    weightPermille: index.map(weight),
    stable: {
      requestsPerSecond: index.map((at) => 210 - weight(at) / 5 + wave(at, 3) * 8),
      errorRatePercent: index.map((at) => Math.max(0, 0.2 + wave(at, 2) * 0.15)),
      p95Ms: index.map((at) => 58 + wave(at, 4) * 4),
    },
    candidate: {
      requestsPerSecond: index.map((at) => (weight(at) === 0 ? null : weight(at) / 5 + wave(at, 3) * 3)),
      errorRatePercent: index.map((at) => (weight(at) === 0 ? null : Math.max(0, 0.19 + wave(at, 5) * 0.2))),
      p95Ms: index.map((at) => (weight(at) === 0 ? null : 63 + wave(at, 5) * 6)),
    },
  }
}

/** Of a simulated rollout: a bad one for the rollout that was rolled back, else a good one. */
export function evidence(rollout: string): RolloutEvidence {
  const errorShare = rollout === 'rollout-5c1x0d' ? 0.04 : 0
  const simulated = evidenceOf(rollOut({ errorShare, requestsPerSecond: 120, dispersion: null }))
  const checks = simulated.checks.map((check) => ({
    ...check,
    name: check.name === 'error rate (critical)' ? 'error rate' : check.name,
  }))
  const declared = declaredMetrics()
  return { ...simulated, rollout, checks: [...checks, ...declared.checks], values: declared.values }
}
