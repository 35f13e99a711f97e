import type { SqlQuery } from '../../../core/shared/metric-definition.ts'
import { type Amount, amountOf, countedFrom, histogramFrom } from '../../../core/shared/metric-sample.ts'
import { METRIC_PLACEHOLDERS, placeholderValues } from '../../../core/shared/metric-template.ts'
import { redactor } from '../../../core/shared/redact.ts'
import type { MetricProvider, MetricReading, MetricRequest } from '../../../ports/metric.ts'
import {
  cancelled,
  excerpt,
  failure,
  queryRefused,
  type ReadingContext,
  readingOf,
  secretMissing,
  severalWhereOne,
  timedOut,
  tooLarge,
  unreadable,
} from '../../../ports/metric-problems.ts'
import { providerOf } from '../../../ports/metric-provider.ts'
import { askPostgres, placeOf } from './postgres.ts'
import { type Row, type Rows, troubleOf } from './rows.ts'
import { askSqlite } from './sqlite.ts'
import { boundValue, COLUMNS, MOST_ROWS, statementFor } from './statement.ts'

export type SqlProviderOptions = {
  /** Gives the address of a PostgreSQL server by the name of its secret. */
  secretOf: (name: string) => string | null
}

/**
 * Asks a database with one SELECT, which can read and do nothing else: PostgreSQL in a read-only transaction, a SQLite
 * file opened read-only by a process of its own.
 */
export const createSqlProvider = (options: SqlProviderOptions): MetricProvider =>
  providerOf('sql', { history: 'kept', ask: (question, signal) => sample(options, question, signal) })

async function sample(
  { secretOf }: SqlProviderOptions,
  { request, query }: { request: MetricRequest; query: SqlQuery },
  signal: AbortSignal | undefined,
): Promise<MetricReading> {
  const { metric, subject, window } = request
  const { database } = query
  const values = placeholderValues(subject, window)
  const statement = statementFor(query, metric.measure.kind)
  const asked = [
    query.query.trim(),
    `with ${statement.names.map((name) => `${name} = ${values[name]}`).join(', ') || 'no parameters'}`,
  ]
  const url = database.kind === 'postgres' ? secretOf(database.secret) : null
  const context: ReadingContext = { metric, window, asked, notes: [], hide: redactor(secretsIn(url)) }
  if (database.kind === 'postgres' && url === null)
    return failure(secretMissing(metric, database.secret), context)
  const place = database.kind === 'postgres' ? placeOf(url ?? '') : `the SQLite file ${database.file}`
  if (statement.unknown.length > 0) return failure(unknownParameters(place, statement.unknown), context)
  const bound = statement.names.map((name) => boundValue(name, values))
  const { timeoutMs } = metric
  const rows =
    database.kind === 'postgres'
      ? await askPostgres({ url: url ?? '', text: statement.text, values: bound, timeoutMs }, signal)
      : await askSqlite({ file: database.file, text: statement.text, values: bound, timeoutMs }, signal)
  return readRows(rows, { context, place })
}

const unknownParameters = (place: string, unknown: readonly string[]) =>
  queryRefused(
    place,
    `the parameter :${unknown[0]} is not known; there are ${METRIC_PLACEHOLDERS.map((name) => `:${name}`).join(', ')}`,
  )

/** The address, and its password as it is written there and as it is. */
function secretsIn(url: string | null): string[] {
  if (url === null) return []
  const password = URL.parse(url)?.password ?? ''
  return [url, password, decoded(password)].filter((text) => text !== '')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function readRows(rows: Rows, { context, place }: { context: ReadingContext; place: string }): MetricReading {
  switch (rows.kind) {
    case 'timed-out':
      return failure(timedOut(place, context.metric), context)
    case 'cancelled':
      return failure(cancelled(place), context)
    case 'trouble':
      return failure(
        troubleOf({ ...rows, message: excerpt(rows.message, context.hide) ?? '' }, place),
        context,
      )
    case 'rows':
      return rows.rows.length > MOST_ROWS
        ? failure(tooLarge(place), context)
        : counted(rows.rows, { context, place })
  }
}

function counted(
  rows: readonly Row[],
  { context, place }: { context: ReadingContext; place: string },
): MetricReading {
  const { measure } = context.metric
  const amounts: Record<string, Amount>[] = []
  for (const row of rows) {
    const read: Record<string, Amount> = {}
    for (const column of COLUMNS[measure.kind]) {
      const amount = amountOf(row[column])
      if (amount === undefined)
        return failure(
          unreadable(place, `${column} is ${JSON.stringify(row[column])}, which is no number`),
          context,
        )
      read[column] = amount
    }
    amounts.push(read)
  }
  if (measure.kind === 'histogram') {
    const buckets = amounts.map(({ le = null, count = null }) => ({ le, count }))
    return readingOf(histogramFrom(measure.bounds, buckets, { cumulative: false }), context)
  }
  if (amounts.length > 1)
    return failure(
      severalWhereOne(
        place,
        amounts.map((row) => JSON.stringify(row)),
      ),
      context,
    )
  return readingOf(countedFrom(measure.kind, amounts[0] ?? {}), context)
}
