import type { EventOf } from '../event.ts'

/** Said once when the patience with a metric ends, and once when it is well again; `null` for all other windows. */
export function metricTurnText({ metric, turned, sample }: EventOf<'metric-sampled'>): string | null {
  if (turned === undefined) return null
  const sides = [sample.candidate, sample.stable]
  switch (turned) {
    case 'healed':
      return `metric ${metric} has numbers again`
    case 'provider-broken': {
      const failure = sides.find((side) => side.kind === 'failure')
      return `the provider of metric ${metric} is broken: ${failure?.kind === 'failure' ? failure.problem.message : 'it does not answer.'}`
    }
    case 'no-data': {
      const empty = sides.find((side) => side.kind === 'no-data')
      return `metric ${metric} has no data: ${empty?.kind === 'no-data' ? empty.reason : 'nothing was counted of one of the versions.'}`
    }
  }
}
