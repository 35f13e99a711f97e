import type { AnalysisSettings, GuardLimits } from './analysis-settings.ts'
import type { ServiceSettings } from './settings.ts'
import type { StrategySettings } from './strategy-settings.ts'

/** A worker takes its work from elsewhere: nothing routes to it, and its share of the work is its share of the instances. */
export const isWorker = (settings: Pick<ServiceSettings, 'listen'> | null): boolean =>
  settings !== null && settings.listen === null

/** What a weight is a share of, for people. */
export const sharedBy = (settings: Pick<ServiceSettings, 'listen'>): 'traffic' | 'instances' =>
  isWorker(settings) ? 'instances' : 'traffic'

/** `25% of traffic`, `25% of the instances`. */
export const shareText = (settings: Pick<ServiceSettings, 'listen'>): string =>
  isWorker(settings) ? 'of the instances' : 'of traffic'

/** What a worker can be judged by: nobody counts requests to it. */
export const withoutRequests = (analysis: AnalysisSettings): AnalysisSettings => ({
  ...analysis,
  compare: { ...analysis.compare, errors: null, latency: null },
  critical: useOf(analysis.critical),
  warning: useOf(analysis.warning),
  targets: targetsOfUse(analysis.targets),
  slo: null,
})

const useOf = ({ cpuPercent, memoryPercent, diskPercent }: GuardLimits): GuardLimits => ({
  ...(cpuPercent === undefined ? {} : { cpuPercent }),
  ...(memoryPercent === undefined ? {} : { memoryPercent }),
  ...(diskPercent === undefined ? {} : { diskPercent }),
})

const targetsOfUse = ({
  cpuPercent,
  memoryPercent,
}: AnalysisSettings['targets']): AnalysisSettings['targets'] => ({
  ...(cpuPercent === undefined ? {} : { cpuPercent }),
  ...(memoryPercent === undefined ? {} : { memoryPercent }),
})

/** Stages of a worker last their time; nothing in them is asked of requests, and nothing is watched by their numbers. */
export function strategyWithoutRequests(strategy: StrategySettings): StrategySettings {
  const calm = { lightWatch: null, holdMs: 0 }
  switch (strategy.kind) {
    case 'canary':
      return { ...strategy, ...calm, steps: strategy.steps.map((step) => ({ ...step, criteria: {} })) }
    case 'recreate':
      return { ...strategy, ...calm }
    case 'rolling':
      return { ...strategy, ...calm, criteria: {} }
    default:
      return strategy
  }
}
