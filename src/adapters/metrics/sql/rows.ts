import { type Problem, problem } from '../../../core/shared/problem.ts'
import { notReached, queryRefused, unauthorized } from '../../../ports/metric-problems.ts'

export type Row = Readonly<Record<string, unknown>>

/** What went wrong, in the words of the database. */
export type SqlTrouble = {
  kind: 'trouble'
  what: 'writes' | 'refused' | 'unauthorized' | 'unwell' | 'away'
  message: string
}

export type Rows = { kind: 'rows'; rows: Row[] } | { kind: 'timed-out' } | { kind: 'cancelled' } | SqlTrouble

/** A query with its parameters, and how long it may take. */
export type SqlQuestion = { text: string; values: (string | number)[]; timeoutMs: number }

export function troubleOf({ what, message }: SqlTrouble, place: string): Problem {
  switch (what) {
    case 'writes':
      return problem('METRIC_QUERY_WRITES', {
        message: `${place} refused the query of a metric, because it would change something.`,
        cause: message,
        remedy: 'Write a SELECT that changes nothing.',
      })
    case 'refused':
      return queryRefused(place, message)
    case 'unauthorized':
      return unauthorized(place, message)
    case 'away':
      return notReached(place, message)
    case 'unwell':
      return problem('METRIC_PROVIDER_UNWELL', {
        message: `${place} could not answer.`,
        cause: message,
        remedy: 'Look at the database. The question is asked again.',
        retryable: true,
      })
  }
}
