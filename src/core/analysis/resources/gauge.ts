import * as z from 'zod'
import type { AnalysisSettings } from '../../release/analysis-settings.ts'
import { addObservation, badOnes, type FailureLimit, isPersistent, Persistence } from '../persistence.ts'
import { Amount, cpusOf, diskBusyPercentOf, diskRateOf, memoryOf, percentOf } from './amount.ts'
import type { UseBatch } from './use-batch.ts'
import type { UseFigures } from './use-sums.ts'

/** Where stable is above the limit too, the candidate may use so many times as much. */
const EXCUSED_TIMES = 1.25
/** A disk that is busy is the candidate's doing where each of its instances reads and writes more than so many times as much. */
const OWN_DISK_TIMES = 1.5
/** Bytes per second of an instance that keep no disk busy, whatever stable does. */
const LEAST_DISK_RATE = 65_536

/**
 * A limit of what instances may use. There are no counts and so no statistics: a limit is broken when it was exceeded in
 * most of the last evaluations.
 */
export type Gauge = {
  of: 'cpu' | 'memory' | 'disk'
  name: string
  tier: 'critical' | 'warning'
  limitPercent: number
  failures: FailureLimit
}

/** Why a value above the limit is not held against the candidate. */
const Excuse = z.enum(['stable-too', 'stable-too-before', 'not-its-own', 'nothing-beside'])

const Evaluation = z.object({
  /** When it was added. */
  at: z.number(),
  /** What is held against the limit: of the candidate, or of the host for a disk. */
  percent: z.number(),
  amounts: z.object({ candidate: Amount, stable: Amount.nullable() }).nullable(),
  /** Of a disk: bytes per second of one instance. */
  rates: z.object({ candidate: z.number(), stable: z.number().nullable() }).nullable(),
  /** `null` as well where it is not above the limit. */
  excuse: Excuse.nullable(),
})
export type Evaluation = z.infer<typeof Evaluation>

export const GaugeState = z.object({
  name: z.string(),
  /** Of the last evaluations: above the limit, and above it but excused. */
  failed: Persistence,
  excused: Persistence,
  last: Evaluation.nullable(),
})
export type GaugeState = z.infer<typeof GaugeState>

export const newGaugeState = ({ name }: Pick<Gauge, 'name'>): GaugeState => ({
  name,
  failed: [],
  excused: [],
  last: null,
})

const NAMES = { cpu: 'CPU', memory: 'memory', disk: 'disk' } as const

/** Those of one rollout, critical ones first. */
export function gaugesOf({ critical, warning, resourceFailureLimit }: AnalysisSettings): Gauge[] {
  const of = (limits: AnalysisSettings['critical'], tier: Gauge['tier']): Gauge[] =>
    (['cpu', 'memory', 'disk'] as const).flatMap((what) => {
      const limitPercent = limits[`${what}Percent`]
      const name = `${NAMES[what]} (${tier})`
      return limitPercent === undefined
        ? []
        : [{ of: what, name, tier, limitPercent, failures: resourceFailureLimit }]
    })
  return [...of(critical, 'critical'), ...of(warning, 'warning')]
}

/** What is known beside the batch itself. */
export type GaugeContext = {
  at: number
  /** Stable had requests in it: what it used says something. */
  isStableServing: boolean
  /** What stable used before the rollout; `null` where that is not known. */
  before: UseFigures | null
}

/** Adds one evaluation; one in which the candidate is not known says nothing. */
export function addEvaluation(
  gauge: Gauge,
  state: GaugeState,
  batch: UseBatch,
  context: GaugeContext,
): GaugeState {
  const last = evaluationOf(gauge, batch, context)
  if (last === null) return state
  const isAbove = last.percent > gauge.limitPercent
  return {
    name: state.name,
    failed: addObservation(state.failed, isAbove && last.excuse === null, gauge.failures),
    excused: addObservation(state.excused, isAbove && last.excuse !== null, gauge.failures),
    last,
  }
}

export const isBroken = ({ failures }: Gauge, { failed }: GaugeState): boolean =>
  isPersistent(failed, failures)

/** Above the limit often enough, were it not for the excuse. */
export const isExcused = (gauge: Gauge, { failed, excused }: GaugeState): boolean =>
  !isPersistent(failed, gauge.failures) &&
  badOnes(failed, gauge.failures.of) + badOnes(excused, gauge.failures.of) >= gauge.failures.limit

function evaluationOf(gauge: Gauge, batch: UseBatch, context: GaugeContext): Evaluation | null {
  switch (gauge.of) {
    case 'cpu':
      return ofAmounts(gauge, batch, { ...context, amountOf: cpusOf, usual: context.before?.cpuPercent })
    case 'memory':
      // An instance without requests keeps its memory, so stable can always be compared.
      return ofAmounts(gauge, batch, {
        ...context,
        isStableServing: true,
        amountOf: memoryOf,
        usual: undefined,
      })
    case 'disk':
      return ofDisk(gauge, batch, context)
  }
}

type AmountContext = GaugeContext & { amountOf: typeof cpusOf; usual: number | undefined }

function ofAmounts(
  { limitPercent }: Gauge,
  batch: UseBatch,
  { at, amountOf, isStableServing, usual }: AmountContext,
): Evaluation | null {
  if (batch.candidate === null) return null
  const candidate = amountOf(batch.candidate, batch)
  const stable = batch.stable === null ? null : amountOf(batch.stable, batch)
  const percent = percentOf(candidate)
  const isShared = (beside: number): boolean => beside > limitPercent && percent <= EXCUSED_TIMES * beside
  const excuse = (): Evaluation['excuse'] => {
    if (percent <= limitPercent) return null
    if (isStableServing) return stable !== null && isShared(percentOf(stable)) ? 'stable-too' : null
    return usual !== undefined && isShared(usual) ? 'stable-too-before' : null
  }
  return { at, percent, amounts: { candidate, stable }, rates: null, excuse: excuse() }
}

/** A disk is the host's: only what each version itself reads and writes tells them apart. */
function ofDisk(
  { limitPercent }: Gauge,
  batch: UseBatch,
  { at, isStableServing, before }: GaugeContext,
): Evaluation | null {
  const percent = diskBusyPercentOf(batch)
  if (percent === null || batch.candidate === null) return null
  const candidate = diskRateOf(batch.candidate, batch)
  const now = batch.stable === null ? null : diskRateOf(batch.stable, batch)
  const stable = isStableServing ? now : (before?.diskBytesPerInstanceSecond ?? null)
  const excuse = (): Evaluation['excuse'] => {
    if (percent <= limitPercent) return null
    if (candidate < LEAST_DISK_RATE) return 'not-its-own'
    if (stable === null) return 'nothing-beside'
    return candidate > OWN_DISK_TIMES * stable ? null : 'not-its-own'
  }
  return { at, percent, amounts: null, rates: { candidate, stable }, excuse: excuse() }
}
