import { formatBytes } from '../../shared/bytes.ts'
import { badOnes } from '../persistence.ts'
import { type Amount, percentOf } from './amount.ts'
import { type Evaluation, type Gauge, type GaugeState, isBroken, isExcused } from './gauge.ts'
import type { UseFigures } from './use-sums.ts'

/** Why nothing is known; `null` where it is. */
export type Unknown = 'target' | 'candidate' | 'disk' | 'not-yet'

/** The limit in words a person can verify: what was used of what, by both versions, and how often it was too much. */
export function describeGauge(
  gauge: Gauge,
  state: GaugeState,
  { unknown, before }: { unknown: Unknown | null; before: UseFigures | null },
): { candidate: string; stable: string; threshold: string; sentence: string } {
  const threshold = `${gauge.limitPercent}%`
  const { last } = state
  if (unknown !== null || last === null)
    return {
      candidate: 'not known',
      stable: 'not known',
      threshold,
      sentence: `${gauge.name}: not judged, since ${WHY[unknown ?? 'not-yet']}`,
    }
  const sides = gauge.of === 'disk' ? diskSides(last) : amountSides(gauge, last)
  const shown = { ...sides, threshold }
  const values =
    gauge.of === 'disk'
      ? `the busiest disk of the host is busy ${whole(last.percent)} of the time; an instance of the candidate reads and writes ${shown.candidate}, one of stable ${shown.stable}`
      : `candidate ${shown.candidate}, stable ${shown.stable}`
  return {
    ...shown,
    sentence: `${gauge.name}: ${values}; limit ${threshold}${standing(gauge, state, last)}${excuseText(gauge, state, { last, before })}`,
  }
}

const WHY: Record<Unknown, string> = {
  target: 'this target cannot tell what its instances use',
  candidate: 'the instances of the candidate are not measured',
  disk: 'this host does not tell how busy its disks are',
  'not-yet': 'nothing was measured yet outside of the start of a stage',
}

function standing(gauge: Gauge, state: GaugeState, last: Evaluation): string {
  const { limit, of } = gauge.failures
  const above = badOnes(state.failed, of) + badOnes(state.excused, of)
  if (above === 0) return ' is kept'
  const seen = state.failed.slice(-of).length
  const often =
    seen === 1 ? 'above it in the only evaluation' : `above it in ${above} of the last ${seen} evaluations`
  const isEnough = isBroken(gauge, state) || isExcused(gauge, state)
  const now = last.percent > gauge.limitPercent ? '' : ', and not now'
  return isEnough ? `, ${often}` : `, ${often}${now} (${limit} of ${of} would be too many)`
}

function excuseText(
  gauge: Gauge,
  state: GaugeState,
  { last, before }: { last: Evaluation; before: UseFigures | null },
): string {
  if (isBroken(gauge, state) || badOnes(state.excused, gauge.failures.of) === 0) return ''
  switch (last.excuse) {
    case 'stable-too':
      return '; so is stable at the same time, so it does not tell the versions apart'
    case 'stable-too-before':
      return `; stable used ${before === null ? 'as much' : whole(before.cpuPercent)} before the rollout, so it does not tell the versions apart`
    case 'not-its-own':
      return '; the candidate does not read and write much more than stable, so it is not held against it'
    case 'nothing-beside':
      return '; what stable reads and writes with the same traffic is not known, so it is not held against the candidate'
    case null:
      return '; stable was above it as well at some of these times'
  }
}

function amountSides(gauge: Gauge, { amounts }: Evaluation): { candidate: string; stable: string } {
  if (amounts === null) return { candidate: 'not known', stable: 'not known' }
  const show = gauge.of === 'cpu' ? cpuText : memoryText
  return {
    candidate: show(amounts.candidate),
    stable: amounts.stable === null ? 'not known' : show(amounts.stable),
  }
}

const diskSides = ({ rates }: Evaluation): { candidate: string; stable: string } => ({
  candidate: rates === null ? 'not known' : perSecond(rates.candidate),
  stable: rates === null || rates.stable === null ? 'not known' : perSecond(rates.stable),
})

/** `199% (1 of 0.5 declared CPUs)`, `12% (0.24 of the host's 2 CPUs)` */
function cpuText(amount: Amount): string {
  const { used, of, isDeclared } = amount
  const cpus = of === 1 ? 'CPU' : 'CPUs'
  const base = isDeclared ? `${short(of)} declared ${cpus}` : `the host's ${short(of)} ${cpus}`
  return `${whole(percentOf(amount))} (${short(used)} of ${base})`
}

/** `94% (481.0 MiB of 512.0 MiB declared)`, `40% (1.6 GiB of the host's 4.0 GiB)` */
function memoryText(amount: Amount): string {
  const { used, of, isDeclared } = amount
  const base = isDeclared ? `${formatBytes(of)} declared` : `the host's ${formatBytes(of)}`
  return `${whole(percentOf(amount))} (${formatBytes(used)} of ${base})`
}

const whole = (percent: number): string =>
  `${percent >= 10 ? Math.round(percent) : Number(percent.toFixed(1))}%`
const short = (value: number): string => String(Number(value.toFixed(2)))
const perSecond = (rate: number): string => `${formatBytes(rate)}/s`
