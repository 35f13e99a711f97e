import type { ServiceSettings } from '../core/release/settings.ts'
import { stagesOf } from '../core/release/strategy-settings.ts'
import { formatDuration } from '../core/shared/duration.ts'
import type { MetricDefinition, MetricHeader, MetricQuery } from '../core/shared/metric-definition.ts'
import { secretMissing } from '../ports/metric-problems.ts'

const ALL = 1000

/** What would keep declared metrics from judging, in one sentence each. */
export function metricWarnings(
  metrics: readonly MetricDefinition[],
  secretOf: (name: string) => string | null,
): string[] {
  return metrics.flatMap((metric) => {
    const missing = secretsOf(metric.query).filter((name) => secretOf(name) === null)
    return [
      ...missing.map((name) => secretMissing(metric, name)).map((of) => `${of.message} ${of.remedy}`),
      ...(tellsVersionsApart(metric.query) ? [] : [sameForBoth(metric)]),
    ]
  })
}

/** Stages that will last longer than planned, because a critical metric needs a window in each. */
export function longerStages({
  strategy,
  analysis,
}: Pick<ServiceSettings, 'strategy' | 'analysis'>): string[] {
  const shortest = Math.min(
    ...stagesOf(strategy).map(({ pauseMs, weightPermille }) =>
      pauseMs === null || weightPermille === ALL ? Number.POSITIVE_INFINITY : pauseMs,
    ),
    strategy.kind === 'rolling' && strategy.pauseMs !== null && strategy.pauseMs > 0
      ? strategy.pauseMs
      : Number.POSITIVE_INFINITY,
  )
  const warmUpMs = Math.min(analysis.warmUpMs, shortest / 2)
  return analysis.metrics.flatMap(({ name, tier, everyMs, delayMs }) => {
    const neededMs = warmUpMs + everyMs + delayMs
    if (tier !== 'critical' || neededMs <= shortest) return []
    const [planned, needed] = [formatDuration(shortest), formatDuration(neededMs)]
    return [
      `A stage of ${planned} will last ${needed} or longer, because the critical metric ${name} needs warm-up, "every" and "delay" in each.`,
    ]
  })
}

const sameForBoth = ({ name, query }: MetricDefinition): string =>
  `The metric ${name} asks for both versions with the same words, so it would find no difference. ` +
  `Name the version in every expression: ${query.provider === 'sql' ? ':version' : '{{version}}'}.`

function secretsOf(query: MetricQuery): string[] {
  switch (query.provider) {
    case 'prometheus':
    case 'json':
      return query.headers.flatMap(secretOfHeader)
    case 'sql':
      return query.database.kind === 'postgres' ? [query.database.secret] : []
    case 'command':
      return query.secrets
    case 'builtin':
      return []
  }
}

const secretOfHeader = (header: MetricHeader): string[] => (header.kind === 'plain' ? [] : [header.secret])

/** A program gets the version as a variable, and the data plane counts versions apart by itself. */
function tellsVersionsApart(query: MetricQuery): boolean {
  switch (query.provider) {
    case 'prometheus':
      return Object.values(query.parts).every(namesVersion)
    case 'json':
      return (
        [query.url, query.body ?? ''].some(namesVersion) || Object.values(query.parts).every(namesVersion)
      )
    case 'sql':
      return /:(version|release)\b/.test(query.query) || namesVersion(query.query)
    case 'command':
    case 'builtin':
      return true
  }
}

const namesVersion = (text: string): boolean => text.includes('{{version}}') || text.includes('{{release}}')
