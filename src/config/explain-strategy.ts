import type { ServiceSettings } from '../core/release/settings.ts'
import type {
  BlueGreenSettings,
  CanarySettings,
  CanaryStep,
  RecreateSettings,
  RollingSettings,
  ShadowSettings,
  StageCriteria,
} from '../core/release/strategy-settings.ts'
import { formatWeight } from '../core/shared/weight.ts'
import { abValues } from './explain-ab.ts'
import { shadowValues } from './explain-shadow.ts'
import { sideValues } from './explain-side.ts'
import { durationText, percentText } from './units.ts'
import { listValues, type Value } from './value-text.ts'

/** How traffic gets to the candidate. */
export function strategyValues({ strategy, analysis }: ServiceSettings): Value[] {
  switch (strategy.kind) {
    case 'canary':
      return [
        ...riseValues('strategy.canary', strategy),
        ['strategy.canary.instances', strategy.instances ?? 'all'],
        ...sideValues('strategy.canary', strategy),
        ...arrivalValues('strategy.canary', strategy),
      ]
    case 'blue-green':
      return blueGreenValues('strategy.blueGreen', strategy)
    case 'ab':
      return [...abValues('strategy.ab', strategy), ...arrivalValues('strategy.ab', strategy)]
    case 'recreate':
      return recreateValues('strategy.recreate', strategy)
    case 'shadow':
      return shadowSettingsValues('strategy.shadow', strategy, analysis.differingPercent)
    case 'rolling':
      return rollingValues('strategy.rolling', strategy)
  }
}

/** There is no `hold`: what went back leaves at once. */
function rollingValues(path: string, strategy: RollingSettings): Value[] {
  const { surge, unavailable, minHealthy, pauseMs, atMostMs, criteria } = strategy
  return [
    [`${path}.surge`, String(surge)],
    [`${path}.unavailable`, String(unavailable)],
    [`${path}.minHealthy`, minHealthy === null ? 'by unavailable' : String(minHealthy)],
    [`${path}.pause`, pauseMs === null ? 'manual' : durationText(pauseMs)],
    ...(atMostMs === undefined ? [] : [[`${path}.atMost`, durationText(atMostMs)] as const]),
    [`${path}.criteria`, criteriaText(criteria)],
    ...arrivalValues(path, strategy).filter(([place]) => place !== `${path}.hold`),
  ]
}

/** There is no `hold` here either. */
const recreateValues = (path: string, strategy: RecreateSettings): Value[] => [
  [`${path}.retryAfter`, durationText(1000 * strategy.retryAfterS)],
  ...arrivalValues(path, strategy).filter(([place]) => place !== `${path}.hold`),
]

const shadowSettingsValues = (
  path: string,
  strategy: ShadowSettings,
  differingPercent: number | undefined,
): Value[] => [
  ...shadowValues(path, strategy, differingPercent),
  [`${path}.criteria`, criteriaText(strategy.criteria)],
  ...(strategy.steps.length === 1 ? [] : riseValues(`${path}.canary`, strategy)),
  ...arrivalValues(path, strategy),
]

function blueGreenValues(path: string, strategy: BlueGreenSettings): Value[] {
  const { switchAfterMs, previewReplicas, warmMs, steps } = strategy
  return [
    [`${path}.switch`, switchAfterMs === null ? 'manual' : durationText(switchAfterMs)],
    [`${path}.previewReplicas`, previewReplicas === null ? 'all' : String(previewReplicas)],
    ...sideValues(path, strategy),
    ...(steps.length === 1 ? [] : riseValues(`${path}.canary`, strategy)),
    [`${path}.warm`, durationText(warmMs)],
    ...arrivalValues(path, strategy),
  ]
}

const riseValues = (
  path: string,
  { steps, earliestMs }: Pick<CanarySettings, 'steps' | 'earliestMs'>,
): Value[] => [
  ...listValues(`${path}.steps`, steps, stepText),
  [`${path}.earliest`, earliestMs === null ? 'off' : durationText(earliestMs)],
]

const arrivalValues = (
  path: string,
  { watchMs, lightWatch, holdMs, readyPercent }: ServiceSettings['strategy'],
): Value[] => [
  [`${path}.watch`, durationText(watchMs)],
  ...lightWatchValues(`${path}.lightWatch`, lightWatch),
  [`${path}.hold`, holdMs === null ? 'keep' : durationText(holdMs)],
  [`${path}.ready`, percentText(readyPercent)],
]

const lightWatchValues = (path: string, lightWatch: ServiceSettings['strategy']['lightWatch']): Value[] =>
  lightWatch === null
    ? [[path, 'off']]
    : [
        [`${path}.for`, durationText(lightWatch.forMs)],
        [`${path}.onFinding`, lightWatch.onFinding],
      ]

function stepText({ weightPermille, pauseMs, atMostMs, criteria }: CanaryStep): string {
  const asked = criteriaText(criteria)
  const parts = [
    `weight: ${formatWeight(weightPermille)}`,
    ...(weightPermille === 1000 ? [] : [`pause: ${pauseMs === null ? 'manual' : durationText(pauseMs)}`]),
    ...(atMostMs === undefined ? [] : [`atMost: ${durationText(atMostMs)}`]),
    ...(asked === '{}' ? [] : [`criteria: ${asked}`]),
  ]
  return `{ ${parts.join(', ')} }`
}

function criteriaText(criteria: StageCriteria): string {
  const asked = [
    criteria.errorRatePercent === undefined ? null : `errorRate: ${percentText(criteria.errorRatePercent)}`,
    criteria.successRatePercent === undefined
      ? null
      : `successRate: ${percentText(criteria.successRatePercent)}`,
    criteria.p99Ms === undefined ? null : `p99: ${durationText(criteria.p99Ms)}`,
    criteria.p95Ms === undefined ? null : `p95: ${durationText(criteria.p95Ms)}`,
    criteria.p50Ms === undefined ? null : `p50: ${durationText(criteria.p50Ms)}`,
    criteria.errorPointsOverStable === undefined
      ? null
      : `errorPointsOverStable: ${percentText(criteria.errorPointsOverStable)}`,
    criteria.throughputPercent === undefined
      ? null
      : `throughput: ${percentText(criteria.throughputPercent)}`,
    criteria.consecutivePasses === undefined ? null : `consecutivePasses: ${criteria.consecutivePasses}`,
    criteria.failureLimit === undefined ? null : `failureLimit: ${criteria.failureLimit}`,
  ].filter((part) => part !== null)
  return asked.length === 0 ? '{}' : `{ ${asked.join(', ')} }`
}
