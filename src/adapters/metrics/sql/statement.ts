import type { MetricMeasure, SqlQuery } from '../../../core/shared/metric-definition.ts'
import { METRIC_PLACEHOLDERS, type MetricPlaceholder } from '../../../core/shared/metric-template.ts'
import { type Numbered, numberParameters } from './named-parameters.ts'

/** The columns a query has to give. */
export const COLUMNS = {
  ratio: ['bad', 'total'],
  rate: ['events', 'exposure'],
  histogram: ['le', 'count'],
  value: ['value'],
} as const satisfies Record<MetricMeasure['kind'], readonly string[]>

/** One more than a histogram can have, so that too many are noticed. */
export const MOST_ROWS = 1000

/**
 * The query as a subquery of ours: only its columns come back, as numbers, and only so many rows of them. What could be
 * written beside a SELECT (an UPDATE, a second statement, a WITH that changes something) is no subquery.
 */
export function statementFor(query: SqlQuery, kind: MetricMeasure['kind']): Numbered {
  const { database } = query
  const inner = query.query.trim().replace(/;\s*$/, '')
  const mark = (index: number, name: MetricPlaceholder): string =>
    database.kind === 'postgres' ? `$${index}${TYPES[name] ?? ''}` : `?${index}`
  const numbered = numberParameters(inner, METRIC_PLACEHOLDERS, mark)
  const columns = COLUMNS[kind].map((column) =>
    database.kind === 'postgres'
      ? `q.${column}::double precision AS ${column}`
      : `CASE typeof(q.${column}) WHEN 'text' THEN substr(q.${column}, 1, 40) WHEN 'blob' THEN 'bytes' WHEN 'integer' THEN q.${column} * 1.0 ELSE q.${column} END AS ${column}`,
  )
  // The line break ends a comment that the query may end with.
  return {
    ...numbered,
    text: `SELECT ${columns.join(', ')} FROM (\n${numbered.text}\n) AS q LIMIT ${MOST_ROWS + 1}`,
  }
}

/** Left alone, the server would take a moment for the type of its neighbour: "1000 * :from" for a small whole number. */
const TYPES: Partial<Record<MetricPlaceholder, string>> = {
  from: '::double precision',
  to: '::double precision',
  fromMs: '::bigint',
  toMs: '::bigint',
}

/** Moments are numbers, the rest is text. */
export const boundValue = (
  name: MetricPlaceholder,
  values: Readonly<Record<MetricPlaceholder, string>>,
): string | number => (TYPES[name] === undefined ? values[name] : Number(values[name]))
