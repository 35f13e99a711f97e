import type { MetricDefinition } from '../core/shared/metric-definition.ts'
import type { Counted } from '../core/shared/metric-sample.ts'
import type { MetricWindow } from '../core/shared/metric-subject.ts'
import { type Problem, problem } from '../core/shared/problem.ts'
import type { HttpAnswer } from './http.ts'
import type { MetricReading } from './metric.ts'

/** What every provider adds to its answers. */
export type ReadingContext = {
  metric: MetricDefinition
  window: MetricWindow
  asked: string[]
  notes: string[]
  /** Takes secrets out of texts that came from outside. */
  hide: (text: string) => string
}

/** The answer that counted numbers amount to, by the metric's rule for numbers that cannot be counts. */
export function readingOf(counted: Counted, context: ReadingContext): MetricReading {
  const { metric, window, asked, notes } = context
  switch (counted.kind) {
    case 'sample':
      return {
        kind: 'sample',
        sample: counted.sample,
        covered: window,
        asked,
        notes: notes.map(context.hide),
      }
    case 'no-data':
      return nothing(counted.reason, context)
    case 'impossible':
      return metric.badValues === 'no-data'
        ? nothing(`${sentence(counted.what)}.`, context)
        : failure(impossibleValue(metric, counted.what), context)
  }
}

type Answering = Pick<ReadingContext, 'asked' | 'notes' | 'hide'>

export const nothing = (reason: string, { asked, notes, hide }: Answering): MetricReading => ({
  kind: 'no-data',
  reason: hide(reason),
  asked,
  notes: notes.map(hide),
})

/** What came from outside may stand in any of these texts, and a secret in it. */
export function failure(
  of: Problem,
  { asked, notes, hide }: Answering,
  retryAfterMs: number | null = null,
): MetricReading {
  const hidden = {
    ...of,
    message: hide(of.message),
    ...(of.cause === undefined ? {} : { cause: hide(of.cause) }),
  }
  return { kind: 'failure', problem: hidden, retryAfterMs, asked, notes: notes.map(hide) }
}

const impossibleValue = ({ name }: MetricDefinition, what: string): Problem =>
  problem('METRIC_VALUE_IMPOSSIBLE', {
    message: `The metric ${name} got a number that cannot be: ${what}.`,
    remedy: 'Correct the query, or write badValues: no-data to treat such numbers as no data.',
    retryable: true,
  })

/** Shown of an answer that is no good. */
const SHOWN_CHARACTERS = 500

/** The beginning of a text from outside, with secrets hidden. */
export const excerpt = (text: string, hide: (text: string) => string): string | undefined =>
  text.trim() === '' ? undefined : hide(text.trim()).slice(0, SHOWN_CHARACTERS)

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** Why an exchange gave nothing to read, or `null` for an answer with status 200 to 299. */
export function httpTrouble(
  answer: HttpAnswer,
  { metric, asked, notes, hide, place }: ReadingContext & { place: string },
): MetricReading | null {
  const fail = (of: Problem, retryAfterMs: number | null = null) =>
    failure(of, { asked, notes, hide }, retryAfterMs)
  switch (answer.kind) {
    case 'timed-out':
      return fail(timedOut(place, metric))
    case 'cancelled':
      return fail(cancelled(place))
    case 'too-large':
      return fail(tooLarge(place))
    case 'unreachable':
      return fail(notReached(place, answer.reason))
    case 'answered': {
      if (answer.status >= 200 && answer.status < 300) return null
      return fail(refusedBy(place, answer.status, excerpt(answer.body, hide)), answer.retryAfterMs)
    }
  }
}

export const timedOut = (place: string, { timeoutMs }: Pick<MetricDefinition, 'timeoutMs'>): Problem =>
  problem('METRIC_TIMEOUT', {
    message: `${sentence(place)} did not answer within ${timeoutMs / 1000} s.`,
    remedy: 'Make the query cheaper, or give the metric a longer timeout.',
    retryable: true,
  })

export const cancelled = (place: string): Problem =>
  problem('METRIC_CANCELLED', {
    message: `The question to ${place} was given up, because nobody waits for its answer any more.`,
    remedy: 'Nothing has to be done.',
    retryable: true,
  })

export const tooLarge = (place: string): Problem =>
  problem('METRIC_ANSWER_TOO_LARGE', {
    message: `${sentence(place)} answered with more than a metric can be.`,
    remedy: 'Let the query add up on the other side and answer with the few numbers that are needed.',
  })

export const notReached = (place: string, cause: string): Problem =>
  problem('METRIC_NOT_REACHED', {
    message: `${sentence(place)} could not be reached: ${cause}.`,
    remedy: 'Check the address and that the provider runs.',
    retryable: true,
  })

export const unauthorized = (place: string, cause: string | undefined): Problem =>
  problem('METRIC_UNAUTHORIZED', {
    message: `${sentence(place)} does not accept the credentials.`,
    cause,
    remedy: 'Check the secret that the metric names, and what it may read.',
    retryable: true,
  })

export const unreadable = (place: string, what: string): Problem =>
  problem('METRIC_ANSWER_UNREADABLE', {
    message: `The answer of ${place} cannot be used: ${what}.`,
    remedy: 'Run "sluice metrics test" and compare the query with what the metric needs.',
    retryable: true,
  })

export const queryRefused = (place: string, cause: string | undefined): Problem =>
  problem('METRIC_QUERY_REFUSED', {
    message: `${sentence(place)} refused the query.`,
    cause,
    remedy: 'Correct the query of the metric. "sluice metrics test" tries it without a rollout.',
  })

export const severalWhereOne = (place: string, found: readonly string[]): Problem =>
  problem('METRIC_SEVERAL_SERIES', {
    message: `${sentence(place)} answered with ${found.length} results where one is wanted: ${shortList(found)}.`,
    remedy: 'Add them up in the query, or narrow it down to one.',
  })

export const secretMissing = ({ name }: Pick<MetricDefinition, 'name'>, secret: string): Problem =>
  problem('SECRET_MISSING', {
    message: `The secret ${secret} of the metric ${name} is not set.`,
    remedy: `Put ${secret}=... into .sluice/secrets.env (mode 0600), or into the environment of "sluice up".`,
    retryable: true,
  })

const MOST_NAMED = 5
const shortList = (found: readonly string[]): string =>
  [
    ...found.slice(0, MOST_NAMED),
    ...(found.length > MOST_NAMED ? [`and ${found.length - MOST_NAMED} more`] : []),
  ].join('; ')

function refusedBy(place: string, status: number, cause: string | undefined): Problem {
  if (status === 401 || status === 403)
    return unauthorized(place, `${status}${cause === undefined ? '' : `: ${cause}`}`)
  if (status === 429)
    return problem('METRIC_RATE_LIMITED', {
      message: `${sentence(place)} answered 429: it is asked too often.`,
      cause,
      remedy: 'Ask less often: write a longer "every" for the metric.',
      retryable: true,
    })
  if (status >= 300 && status < 400)
    return problem('METRIC_REDIRECTED', {
      message: `${sentence(place)} answered ${status}, a redirect, which is not followed.`,
      remedy: 'Write the final address into the file.',
    })
  if (status === 400 || status === 422) return queryRefused(place, cause)
  return problem('METRIC_PROVIDER_UNWELL', {
    message: `${sentence(place)} answered ${status}.`,
    cause,
    remedy: 'Look at the provider. The question is asked again.',
    retryable: true,
  })
}
