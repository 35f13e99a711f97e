import { NUMBER_CHECKS } from '../../../core/analysis/dry-run.ts'
import type { PlanInput } from '../../../core/plan/compose.ts'
import { composePlan } from '../../../core/plan/compose.ts'
import type { Plan } from '../../../core/plan/plan.ts'
import type { Release } from '../../../core/release/release.ts'
import type { ServiceSettings } from '../../../core/release/settings.ts'
import type { StageCriteria } from '../../../core/release/strategy-settings.ts'
import type { ReleaseWindow } from '../../../core/release/window.ts'
import { DAY_MINUTES, WEEKDAYS } from '../../../core/release/window.ts'
import type { ServiceState } from '../../../core/rollout/state.ts'
import type { NamedCheck } from '../../../core/shared/health-check.ts'
import type { VerifyCheck } from '../../../core/shared/verification.ts'
import { simulatedSettings } from '../settings.ts'
import { withSeveralRouters } from './also-settings.ts'
import { withMoves } from './move-settings.ts'
import type { Random } from './random.ts'
import { withRecreate } from './recreate-settings.ts'
import { withShadow } from './shadow-settings.ts'
import { withWhere } from './where-settings.ts'
import { asWorker } from './worker-settings.ts'

/** Configurations that the versions of one run carry; the first is the usual one. */
export function drawSettings(random: Random, stream: string, count: number): ServiceSettings[] {
  const windows = random.fork('windows')
  const options = random.fork('options of checks')
  const strategies = random.fork('strategies')
  const batches = random.fork('batches')
  const sides = random.fork('sides')
  const wheres = random.fork('where')
  const recreates = random.fork('recreate')
  const shadows = random.fork('shadow')
  const checks = drawNamedChecks(random.fork('named checks'))
  const isWorker = random.fork('workers').chance(WORKER_SHARE)
  const drawn = Array.from({ length: count }, (_, index) => {
    const usual = withNamedChecks(checks, withSpecialty(index, draw(random, stream)))
    const drawn =
      index === 0
        ? usual
        : withShadow(
            shadows,
            withRecreate(
              recreates,
              withWhere(
                wheres,
                withSide(sides, withBatches(batches, withStrategy(strategies, withOptions(options, usual)))),
              ),
            ),
          )
    const own = isWorker ? asWorker(drawn) : drawn
    // The usual configuration has none, or nothing would begin for most of the run.
    return index > 0 && windows.chance(WINDOWS_SHARE) ? { ...own, windows: [ALMOST_ALWAYS] } : own
  })
  return withMoves(random.fork('moves'), withSeveralRouters(random.fork('several routers'), drawn))
}

/** Services without HTTP: a share of the instances is all the share there is. */
const WORKER_SHARE = 0.08

/** Never passes. */
export const BAD_CHECK = 'bad'

/** What each configuration but the usual one is good for. */
export const LONG_WATCH = 1
export const SHORT_DEADLINE = 2
export const WITH_BREAKER = 3
const LONG_WATCH_MS = 6000
const SHORT_DEADLINE_MS = 3000
const BREAKER = { count: 2, withinMs: 600_000 }

function withSpecialty(index: number, drawn: ServiceSettings): ServiceSettings {
  switch (index) {
    case LONG_WATCH:
      return { ...drawn, strategy: { ...drawn.strategy, watchMs: LONG_WATCH_MS } }
    case SHORT_DEADLINE:
      return { ...drawn, health: { ...drawn.health, deadlineMs: SHORT_DEADLINE_MS } }
    case WITH_BREAKER:
      return { ...drawn, rollback: { ...drawn.rollback, breaker: BREAKER } }
    default:
      return drawn
  }
}

const BLUE_GREEN_SHARE = 0.4
const CHECKS_SHARE = 0.3
const BAD_CHECKS_SHARE = 0.2

/** Some switch at once, by themselves or by hand, and keep the old set for a while; some are verified. */
function withStrategy(random: Random, drawn: ServiceSettings): ServiceSettings {
  const [switches, isVerified] = [random.chance(BLUE_GREEN_SHARE), random.chance(CHECKS_SHARE)]
  const verify = isVerified ? [drawCheck(random)] : []
  if (!switches || !('steps' in drawn.strategy)) return { ...drawn, verify }
  const rises = random.chance(0.3)
  return {
    ...drawn,
    verify,
    strategy: {
      ...drawn.strategy,
      kind: 'blue-green',
      steps: rises ? drawn.strategy.steps : drawn.strategy.steps.slice(-1),
      switchAfterMs: random.pick([0, 0, 800, null]),
      previewReplicas: random.pick([null, 1]),
      warmMs: random.pick([0, 1000, 4000]),
    },
  }
}

const ROLLING_SHARE = 0.3

/** Some replace their instances in batches, with room for more or with some missing; drawn apart from everything else. */
function withBatches(random: Random, drawn: ServiceSettings): ServiceSettings {
  const isRolling = random.chance(ROLLING_SHARE)
  const [surge, unavailable] = random.pick([
    [1, 0],
    [1, 0],
    [0, 1],
    [1, 1],
    [2, 0],
  ] as const)
  const pauseMs = random.pick([0, 400, 1200, null])
  const replicas = random.int(2, 4)
  if (!isRolling) return drawn
  const { watchMs, lightWatch, readyPercent } = drawn.strategy
  return {
    ...drawn,
    run: { ...drawn.run, replicas },
    strategy: {
      ...{ kind: 'rolling', surge, unavailable, minHealthy: null, pauseMs, criteria: {} },
      ...{ watchMs, lightWatch, readyPercent, holdMs: 0 },
    },
  }
}

const NAMED_CHECKS_SHARE = 0.3

/** Something that all versions of a run need, and that goes away and comes back for all of them at once. */
function drawNamedChecks(random: Random): NamedCheck[] {
  const has = random.chance(NAMED_CHECKS_SHARE)
  const onFailure = random.pick(['critical', 'warning', 'report'] as const)
  const check = { kind: 'address', host: 'db', port: 5432 } as const
  const often = { everyMs: 1000, timeoutMs: 1000, failures: 1 }
  return has ? [{ name: 'database', kind: 'dependency', check, ...often, onFailure }] : []
}

const withNamedChecks = (checks: NamedCheck[], drawn: ServiceSettings): ServiceSettings =>
  checks.length === 0 ? drawn : { ...drawn, health: { ...drawn.health, checks } }

const PREVIEW_SHARE = 0.3
const TESTERS_SHARE = 0.6
const STICKY_SHARE = 0.3
const TEST_SHARE = 0.15

/** Two variants beside stable. */
function abOf(
  { watchMs, lightWatch, holdMs, readyPercent }: ServiceSettings['strategy'],
  atEnd: 'ask' | 'promote',
): ServiceSettings['strategy'] {
  const variants = ['green', 'blue'].map((name) => ({ name, sharePermille: 250 }))
  return {
    ...{ kind: 'ab', watchMs, lightWatch, holdMs, readyPercent, variants, atEnd, forMs: 2000, alpha: 0.05 },
    ...{ by: { kind: 'own-cookie' }, goal: { method: 'POST', path: '/orders' } },
  }
}

/** Some show the candidate to testers, and some keep users where they are. */
function withSide(random: Random, drawn: ServiceSettings): ServiceSettings {
  const [shows, rules, keeps] = [PREVIEW_SHARE, TESTERS_SHARE, STICKY_SHARE].map((share) =>
    random.chance(share),
  )
  const isTest = random.chance(TEST_SHARE)
  const atEnd = random.pick(['ask', 'promote'] as const)
  const { strategy } = drawn
  if (strategy.kind !== 'canary' && strategy.kind !== 'blue-green') return drawn
  if (isTest) return { ...drawn, strategy: abOf(strategy, atEnd) }
  const side = {
    ...(shows ? { preview: { host: '127.0.0.1', port: 8090 } } : {}),
    ...(rules ? { routes: [{ kind: 'exact', in: 'header', name: 'x-tester', value: '1' } as const] } : {}),
  }
  const sticky = keeps ? { sticky: { cookie: 'sluice-release', forMs: 60_000 } } : {}
  // Drawn by what is drawn already, so that the runs of all others stay as they are.
  const size = shows && !keeps ? { instances: 'share' as const } : {}
  return {
    ...drawn,
    strategy:
      strategy.kind === 'canary' ? { ...strategy, ...side, ...sticky, ...size } : { ...strategy, ...side },
  }
}

/** The name says how it comes out. */
const drawCheck = (random: Random): VerifyCheck => ({
  kind: 'command',
  name: random.chance(BAD_CHECKS_SHARE) ? BAD_CHECK : 'good',
  moments: [...random.pick([['before'], ['after'], ['before', 'after']] as const)],
  timeoutMs: 5000,
  command: ['check'],
  secrets: [],
})

const DRY_RUN_SHARE = 0.15
const PASSES_SHARE = 0.3
const PASSES = 4

/** Some try their checks first, and some want to see their criteria met several times. */
function withOptions(random: Random, drawn: ServiceSettings): ServiceSettings {
  const [tries, asksOften] = [random.chance(DRY_RUN_SHARE), random.chance(PASSES_SHARE)]
  if (tries) return { ...withCriteria(drawn, () => ({})), analysis: tried(drawn.analysis) }
  return asksOften
    ? withCriteria(drawn, (criteria) =>
        Object.keys(criteria).length === 0 ? criteria : { ...criteria, consecutivePasses: PASSES },
      )
    : drawn
}

const tried = (analysis: ServiceSettings['analysis']): ServiceSettings['analysis'] => ({
  ...analysis,
  dryRun: [...NUMBER_CHECKS],
})

const withCriteria = (
  drawn: ServiceSettings,
  change: (criteria: StageCriteria) => StageCriteria,
): ServiceSettings =>
  !('steps' in drawn.strategy)
    ? drawn
    : {
        ...drawn,
        strategy: {
          ...drawn.strategy,
          steps: drawn.strategy.steps.map((step) => ({ ...step, criteria: change(step.criteria) })),
        },
      }

const WINDOWS_SHARE = 0.25
/** Every run begins in the one minute of the day in which this is closed. */
const CLOSED_MINUTE = 22 * 60 + 13
const ALMOST_ALWAYS: ReleaseWindow = {
  days: [...WEEKDAYS],
  fromMinute: CLOSED_MINUTE + 1,
  toMinute: CLOSED_MINUTE,
  zone: 'UTC',
}

/** Is the window closed? */
export const isClosed = (at: number): boolean => Math.floor(at / 60_000) % DAY_MINUTES === CLOSED_MINUTE

function draw(random: Random, stream: string): ServiceSettings {
  const [service = stream, environment = 'local'] = stream.split('.')
  const stage = (weightPermille: number) => ({
    weightPermille,
    pauseMs: random.int(3, 20) * 100,
    criteria: random.chance(0.5) ? {} : { errorRatePercent: 5 },
  })
  const steps = random.pick([[1000], [500, 1000], [100, 1000], [50, 500, 1000]]).map(stage)
  const base = simulatedSettings({
    replicas: random.int(1, 3),
    deadlineMs: random.int(100, 140) * 100,
    strategy: {
      steps,
      watchMs: random.int(15, 30) * 100,
      lightWatch: { forMs: 5000, onFinding: 'alarm' },
      holdMs: random.pick([0, 1000, 4000, null]),
      readyPercent: random.pick([100, 100, 50]),
    },
    analysis: {
      ...{ intervalMs: random.pick([250, 500]), minRequests: 5, crashLimit: 3 },
      ...{ warning: { errorRatePercent: 1, cpuPercent: 80 }, resourceFailureLimit: { limit: 1, of: 2 } },
    },
    rollback: {
      window: random.pick([0, 1, 3]),
      onFailure: random.chance(0.85) ? 'rollback' : 'hold',
      breaker: random.chance(0.85) ? null : BREAKER,
    },
    drift: random.chance(0.85) ? 'correct' : 'hold',
  })
  return {
    ...base,
    service,
    environment,
    drain: { requestsMs: 1000, websocketsMs: 1000 },
    onControllerLoss: random.chance(0.7) ? { kind: 'hold' } : { kind: 'revert', afterMs: 4000 },
    prober: random.chance(0.3) ? { paths: ['/'], intervalMs: 200 } : null,
    notify: [channel('ops', ['*']), ...(random.chance(0.3) ? [channel('ends', ['rollout.promoted'])] : [])],
  }
}

const channel = (name: string, on: string[]) => ({
  kind: 'command' as const,
  name,
  command: ['tell'],
  on,
})

export const releaseIdOf = (version: string, settings: number): string => `v${version}-${settings}`

export const releaseFor = (
  stream: string,
  named: { version: string; id: string; settings: ServiceSettings },
): Release => ({
  id: named.id,
  stream,
  version: named.version,
  artifact: { digest: `sha256:${named.version}`, folder: `/artifacts/${named.version}`, bytes: 1, files: 1 },
  settings: named.settings,
  secretVersions: {},
  createdAt: 0,
  createdBy: 'ada',
  adopted: false,
})

/** As the operations make it. */
export function planFor(
  { stable, rollout, previous }: ServiceState,
  made: { release: Release; stableRelease: Release | null; kind: PlanInput['kind']; now: number },
): Plan {
  const { release, kind, now } = made
  const position = previous.findIndex((one) => one.release === release.id)
  const { window } = release.settings.rollback
  const content = composePlan({
    release,
    stable: stable === null ? null : made.stableRelease,
    candidate: rollout === null || rollout.phase.kind === 'ended' ? null : rollout.plan.to.release,
    kind,
    back: kind === 'rollback' && position >= 0 ? { releases: position + 1, window } : null,
    history: { provisionMs: null, drainMs: null, trafficOffMs: [] },
    actor: 'ada',
    now,
    warnings: [],
  })
  return { ...content, id: `plan-${release.id}-${now}`, hash: `hash-${release.id}` }
}
