import { dryRunWarnings } from '../analysis/dry-run.ts'
import type { Release } from '../release/release.ts'
import type { ServiceSettings } from '../release/settings.ts'
import { isWorker } from '../release/worker.ts'
import { formatDuration } from '../shared/duration.ts'
import { formatWeight, TOTAL_PERMILLE } from '../shared/weight.ts'
import { compile, fullSteps } from '../strategy/compile.ts'
import { forecastBudget } from '../strategy/rollback-budget.ts'
import { besidesOf, stickyWarnings } from './besides.ts'
import { changesBetween } from './changes.ts'
import { measuredWayBack } from './measured.ts'
import { outageOf, wayBackWithOutage } from './outage-forecast.ts'
import type { Plan, PlannedStep, Step } from './plan.ts'
import { mayLinger, peakOf, type Sizes, sizesOf } from './sizes.ts'
import { storedAs } from './stored-as.ts'
import { isFast, type WayBack, wayBackText } from './way-back.ts'

export type PlanInput = {
  release: Release
  /** The stable release now, with its resolved configuration. */
  stable: Release | null
  candidate: string | null
  /** `full`: a deploy that goes straight to 100%, because a person says so. */
  kind: 'deploy' | 'full' | 'rollback'
  /** With a rollback; beyond its window it takes all steps. */
  back: WayBack | null
  /**
   * Measured durations in ms of what has no duration of its own, `null` where there is no history; and how long traffic
   * took to be off a candidate, for each earlier rollout in which it had to.
   */
  history: {
    provisionMs: number | null
    drainMs: number | null
    /** What it took to stop everything that ran, where a plan does that first. */
    vacateMs?: number | null
    trafficOffMs: readonly number[]
  }
  actor: string
  now: number
  warnings: string[]
}

/** Content of a plan; `id` and `hash` are given by whoever can compute a digest. */
export type PlanContent = Omit<Plan, 'id' | 'hash'>

/** Pure: the same input gives the same plan. */
export function composePlan(input: PlanInput): PlanContent {
  const { release, stable, kind, back } = input
  const { settings } = release
  const planKind =
    stable?.id === release.id
      ? 'none'
      : stable === null
        ? 'first'
        : kind === 'rollback' && (back === null || isFast(back))
          ? 'rollback'
          : 'deploy'
  const isFull = planKind === 'deploy' && kind === 'full'
  const old =
    stable === null ? undefined : { replicas: stable.settings.run.replicas, canShrink: !stable.adopted }
  const planned = isFull ? fullSteps(settings, old) : compile(planKind, settings, old)
  const strategy = isFull ? 'full' : planKind === 'deploy' ? settings.strategy.kind : planKind
  const isKept = planned.some((step) => step.kind === 'keep')
  const sizes = sizesOf(planned, { stable: old?.replicas ?? 0, candidate: settings.run.replicas })
  const isBatched = planned.some((step) => step.kind === 'shrink')
  const stopsFirst = planned.some((step) => step.kind === 'vacate')
  const steps = planned.map((step, index) => ({
    ...plannedStep(step, input, {
      strategy,
      isKept,
      stopsFirst,
      inBatches: isBatched ? hasMoved(planned, index) : null,
      hasTraffic: planned.slice(0, index).some(({ kind }) => kind === 'traffic'),
    }),
    instances: sizes[index] ?? { stable: 0, candidate: 0 },
  }))
  const besides = planKind === 'deploy' ? besidesOf(settings) : []
  const outage = stable === null ? null : outageOf(steps, { release, stable })
  const sticky = planKind === 'deploy' ? stickyWarnings(settings, planned) : []
  return {
    stream: release.stream,
    service: settings.service,
    environment: settings.environment,
    kind: planKind,
    from: stable === null ? null : { release: stable.id, version: stable.version },
    to: { release: release.id, version: release.version, ...contentOf(release) },
    base: { stable: stable?.id ?? null, candidate: input.candidate },
    strategy,
    because: becauseOf(planKind, input),
    steps,
    ...(besides.length === 0 ? {} : { besides }),
    changes: stable === null ? [] : changesBetween(stable, release),
    peakInstances: peakInstancesOf(planned, { release, stable, sizes }),
    expectedMs: sumOrNull(steps.map(({ expectedMs }) => expectedMs)),
    ...(outage === null ? {} : { outage }),
    warnings: [
      ...(outage === null ? [] : [outage.text]),
      ...input.warnings,
      ...warningsOf(planKind, settings),
      ...sticky,
    ],
    createdAt: input.now,
    actor: input.actor,
  }
}

/** Most that run at the same time. Old workers that take no new work may go on with what they have until the end. */
function peakInstancesOf(
  steps: readonly Step[],
  { release, stable, sizes }: Pick<PlanInput, 'release' | 'stable'> & { sizes: Sizes[] },
): number {
  const both = release.settings.run.replicas + (stable?.settings.run.replicas ?? 0)
  if (steps.length === 0) return release.settings.run.replicas
  if (steps.some(({ kind }) => kind === 'vacate'))
    return Math.max(peakOf(sizes), stable?.settings.run.replicas ?? 0)
  const makesRoom = steps.some(({ kind }) => kind === 'shrink')
  return makesRoom && !mayLinger(stable) ? peakOf(sizes) : both
}

const contentOf = ({
  artifact: { digest, image },
}: PlanInput['release']): Pick<Plan['to'], 'digest' | 'image'> =>
  image === undefined ? { digest } : { digest, image }

function becauseOf(kind: Plan['kind'], input: PlanInput): string {
  if (kind === 'none' || kind === 'first') return ''
  if (input.kind === 'full')
    return `${input.actor} orders all traffic at once: no stages and no checks before it; the watch stays.`
  return input.back === null ? '' : wayBackText(input.back)
}

function plannedStep(
  step: Step,
  { release, stable, history }: PlanInput,
  back: Pick<Back, 'strategy' | 'isKept' | 'stopsFirst' | 'inBatches' | 'hasTraffic'>,
): Omit<PlannedStep, 'instances'> {
  return {
    step,
    label: back.stopsFirst && step.kind === 'retire' ? 'forget the old set' : labelOf(step, release.settings),
    expectedMs: expectedMsOf(step, history),
    rollback: rollbackOf(step, { ...back, release, stable, history }),
  }
}

function labelOf(step: Step, settings: ServiceSettings): string {
  switch (step.kind) {
    case 'provision':
      return `start ${step.replicas} ${step.replicas === 1 ? 'instance' : 'instances'}`
    case 'verify':
      return `verify ${step.checks.length} ${step.checks.length === 1 ? 'check' : 'checks'} ${step.moment === 'before' ? 'before traffic' : 'with all traffic'}`
    case 'gate':
      return step.durationMs === null
        ? `wait for the ${settings.strategy.kind === 'ab' ? 'decision' : 'switch'} by hand`
        : `look at it for ${formatDuration(step.durationMs)}`
    case 'traffic':
      return isWorker(settings)
        ? `share ${formatWeight(step.weightPermille)}`
        : `traffic ${formatWeight(step.weightPermille)}`
    case 'vacate':
      return 'stop the old set first'
    case 'shrink':
      return `stable keeps ${step.replicas} ${step.replicas === 1 ? 'instance' : 'instances'}`
    case 'observe':
      return observationOf(step)
    case 'watch':
      return `watch ${formatDuration(step.durationMs)}`
    case 'promote':
      return 'make it stable'
    case 'drain':
      return 'drain the old set'
    case 'retire':
      return 'stop the old set'
    case 'keep':
      return `keep the old set ${formatDuration(step.forMs)}`
  }
}

function observationOf({ durationMs, shadow }: Extract<Step, { kind: 'observe' }>): string {
  if (shadow === undefined)
    return durationMs === null ? 'wait for promotion' : `observe ${formatDuration(durationMs)}`
  const copies = `copy ${formatWeight(shadow.sharePermille)} of requests`
  return durationMs === null
    ? `${copies} until promoted by hand`
    : `${copies} for ${formatDuration(durationMs)}`
}

/** Steps without a time of their own take what they took before; nothing is invented where nothing was measured. */
function expectedMsOf(step: Step, history: PlanInput['history']): number | null {
  switch (step.kind) {
    case 'provision':
      return history.provisionMs ?? 0
    case 'vacate':
      return history.vacateMs ?? 0
    case 'gate':
    case 'observe':
    case 'watch':
      return step.durationMs
    case 'drain':
    case 'shrink':
      return history.drainMs ?? 0
    case 'traffic':
    case 'verify':
    case 'promote':
    case 'retire':
    case 'keep':
      return 0
  }
}

type Back = {
  release: Release
  stable: Release | null
  strategy: string
  isKept: boolean
  stopsFirst: boolean
  /** Instances are replaced in batches: whether any was before this step; `null` where none are. */
  inBatches: 'moved' | 'whole' | null
  /** A step before gave the candidate a share. */
  hasTraffic: boolean
  history: PlanInput['history']
}

function rollbackOf(step: Step, back: Back): string {
  const { stable: release, strategy, isKept, inBatches, history } = back
  if (release === null) return 'Nothing to go back to: the first release either becomes ready or fails.'
  if (back.stopsFirst) return wayBackWithOutage(step, { release: back.release, stable: release, history })
  const { version: stable, adopted } = release
  if (step.kind === 'verify' && step.moment === 'before') return nothingMoved(stable)
  if (step.kind === 'observe' && step.shadow !== undefined)
    return `No user has seen it: the copies end, the new instances stop, ${stable} is untouched.`
  const speed = `${forecastBudget(strategy)}${measuredWayBack(history.trafficOffMs)}`
  if (inBatches === 'moved' && !isAfter(step))
    return `In reverse batches: ${stable} grows again, traffic follows as fast as its instances are ready; ${speed}.`
  const oneChange = `One change of weight: all traffic back to ${stable}, which runs at full size; ${speed}.`
  switch (step.kind) {
    case 'gate':
      // A test waits for its decision with all variants live.
      return strategy === 'ab' ? oneChange : nothingMoved(stable)
    case 'provision':
      return back.hasTraffic ? oneChange : nothingMoved(stable)
    case 'vacate':
    case 'shrink':
      return nothingMoved(stable)
    case 'verify':
    case 'traffic':
    case 'observe':
    case 'watch':
      return oneChange
    case 'promote':
    case 'drain':
    case 'retire':
    case 'keep':
      if (isKept) return `One change of weight (sluice rollback): ${stable} stays ready at full size.`
      if (adopted)
        return `None: the adopted process of ${stable} ends, and there is no artifact to start it from.`
      if (inBatches !== null)
        return `Batches back to ${stable} (sluice rollback), started again from ${storedAs(release)}.`
      return `Start ${stable} again from ${storedAs(release)}, then one change of weight.`
  }
}

/** Something of stable has left, or has no traffic any more, once a step before moved it. */
const hasMoved = (steps: readonly Step[], index: number): 'moved' | 'whole' =>
  steps.slice(0, index + 1).some(({ kind }) => kind === 'traffic' || kind === 'shrink') ? 'moved' : 'whole'

/** The candidate is stable: what was before is a release to roll back to. */
const isAfter = ({ kind }: Step): boolean => AFTER_PROMOTION.has(kind)
const AFTER_PROMOTION = new Set<Step['kind']>(['promote', 'drain', 'retire', 'keep'])

const nothingMoved = (stable: string): string =>
  `No traffic has moved: the new instances stop, ${stable} is untouched.`

function warningsOf(kind: Plan['kind'], settings: ServiceSettings): string[] {
  const warnings: string[] = []
  if (kind === 'deploy' && settings.run.replicas === 1)
    warnings.push('One replica: a single failing instance of the candidate is critical at once.')
  const first = settings.strategy.kind === 'canary' ? settings.strategy.steps[0] : undefined
  if (kind === 'deploy' && first?.weightPermille === TOTAL_PERMILLE)
    warnings.push('The first stage is 100%: nothing is observed before everybody gets the new version.')
  if (kind === 'deploy') warnings.push(...dryRunWarnings(settings.analysis))
  return warnings
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  return values.reduce(
    (sum: number | null, value) => (sum === null || value === null ? null : sum + value),
    0,
  )
}

/** The part of a plan that its hash covers: what would be done, to what, from where. */
export function hashedPart(plan: PlanContent): unknown {
  const { stream, kind, from, to, base, strategy, steps, changes } = plan
  return {
    domain: 'sluice.plan.v1',
    stream,
    kind,
    from,
    to,
    base: { stable: base.stable },
    strategy,
    changes,
    steps: steps.map(({ step }) => step),
  }
}
