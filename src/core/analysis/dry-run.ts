import type { AnalysisSettings } from '../release/analysis-settings.ts'

/** Checks of numbers that can be tried without a consequence. */
export const NUMBER_CHECKS = [
  'errors against stable',
  'latency against stable',
  'crashes against stable',
  'error rate (critical)',
  'errors over stable (critical)',
  'p99 latency (critical)',
  'p95 over stable (critical)',
  'throughput (critical)',
  'throughput for long (critical)',
  'p95 over stable for long (critical)',
  'error rate (warning)',
  'errors over stable (warning)',
  'p99 latency (warning)',
  'p95 over stable (warning)',
  'throughput (warning)',
  'error budget (critical)',
  'error budget (warning)',
  'latency budget (critical)',
  'latency budget (warning)',
  'differing answers',
  'CPU (critical)',
  'memory (critical)',
  'disk (critical)',
  'CPU (warning)',
  'memory (warning)',
  'disk (warning)',
] as const

/** Criteria of stages. */
export const STAGE_CRITERIA = [
  'error rate',
  'success rate',
  'p50 latency',
  'p95 latency',
  'p99 latency',
  'errors over stable',
  'throughput',
] as const

/** Signals that need no statistics: something is broken for certain. Only who names one can want to do without it. */
export const HARD_SIGNALS = ['crash loop', 'out of memory', 'failing instances'] as const
export type HardSignal = (typeof HARD_SIGNALS)[number]

export const DRY_RUN_NAMES = [...NUMBER_CHECKS, ...STAGE_CRITERIA, ...HARD_SIGNALS] as const
/** `all` of the file: whatever is no hard signal. */
export const ALL_BUT_HARD: readonly string[] = [...NUMBER_CHECKS, ...STAGE_CRITERIA]

/** Judged and shown, and without any consequence. */
export const isDryRun = ({ dryRun }: Pick<AnalysisSettings, 'dryRun'>, name: string): boolean =>
  dryRun?.includes(name) === true

/** What the sentence of a check ends with then. */
export function dryRunText(tier: string, isFound: boolean): string {
  if (!isFound) return '; a dry run, without any consequence'
  const would =
    tier === 'stage' ? 'would hold the stage' : tier === 'warning' ? 'would pause' : 'would roll back'
  return `; a dry run: without it this ${would}`
}

/** What a plan says about it, one sentence each; the hard signals first and by themselves. */
export function dryRunWarnings({ dryRun = [] }: Pick<AnalysisSettings, 'dryRun'>): string[] {
  const isHard = (name: string): boolean => HARD_SIGNALS.some((hard) => hard === name)
  const hard = dryRun.filter(isHard)
  const others = dryRun.filter((name) => !isHard(name))
  const isAll = ALL_BUT_HARD.every((name) => others.includes(name))
  return [
    ...(hard.length === 0
      ? []
      : [
          `DANGER: ${hard.join(', ')} ${hard.length === 1 ? 'is a dry run' : 'are dry runs'}: a candidate that breaks for certain is not taken back.`,
        ]),
    ...(others.length === 0
      ? []
      : [
          isAll
            ? 'Dry run: all checks of numbers and all criteria of stages are judged and shown, and none of them pauses or rolls back.'
            : `Dry run: ${others.join(', ')} ${others.length === 1 ? 'is' : 'are'} judged and shown, without any consequence.`,
        ]),
  ]
}
