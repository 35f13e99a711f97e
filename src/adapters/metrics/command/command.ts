import * as z from 'zod'
import { type CommandQuery, METRIC_PARTS } from '../../../core/shared/metric-definition.ts'
import {
  type Amount,
  amountOf,
  type BucketRow,
  countedFrom,
  histogramFrom,
} from '../../../core/shared/metric-sample.ts'
import { fillTemplate, placeholderValues } from '../../../core/shared/metric-template.ts'
import { problem } from '../../../core/shared/problem.ts'
import { plainText, redactor } from '../../../core/shared/redact.ts'
import type { MetricProvider, MetricReading, MetricRequest } from '../../../ports/metric.ts'
import {
  cancelled,
  failure,
  nothing,
  type ReadingContext,
  readingOf,
  secretMissing,
  timedOut,
  tooLarge,
  unreadable,
} from '../../../ports/metric-problems.ts'
import { providerOf } from '../../../ports/metric-provider.ts'
import { type Ending, inheritedFrom, runProgram } from '../../tools/run-program.ts'

export type CommandProviderOptions = {
  secretOf: (name: string) => string | null
  /** Folder in which the program runs; relative paths of the command start there. */
  cwd: string
  /** Of this process; a few harmless variables of it are passed on. */
  env?: Readonly<Record<string, string | undefined>>
}

/** Far more than the few numbers of a metric. */
const MAX_OUTPUT_BYTES = 65_536
/** Of what the program said last. */
const SHOWN_LINES = 5

/**
 * Runs a program that writes the numbers to its standard output as JSON: `{"bad": 3, "total": 1000}`.
 *
 * @example createCommandProvider({ secretOf: () => null, cwd: process.cwd() })
 */
export const createCommandProvider = (options: CommandProviderOptions): MetricProvider =>
  providerOf('command', { history: 'kept', ask: (question, signal) => sample(options, question, signal) })

async function sample(
  { secretOf, cwd, env = process.env }: CommandProviderOptions,
  { request, query }: { request: MetricRequest; query: CommandQuery },
  signal: AbortSignal | undefined,
): Promise<MetricReading> {
  const { metric, window } = request
  const values = placeholderValues(request.subject, window)
  const [program = '', ...args] = query.command.map((word) => fillTemplate(word, values, (value) => value))
  const asked = [[program, ...args].join(' ')]
  const secrets = query.secrets.map((name) => [name, secretOf(name)] as const)
  const found = secrets.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  const hide = redactor(found.map(([, value]) => value))
  const context: ReadingContext = { metric, window, asked: asked.map(hide), notes: [], hide }
  const missing = secrets.find(([, value]) => value === null)
  if (missing !== undefined) return failure(secretMissing(metric, missing[0]), context)
  const variables = { ...inheritedFrom(env), ...variablesOf(request), ...Object.fromEntries(found) }
  const { timeoutMs } = metric
  const run = { program, args, env: variables, cwd, timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES }
  const ending = await runProgram(run, signal)
  return readEnding(ending, { context, place: `the command ${program}` })
}

function variablesOf({ metric, subject, window }: MetricRequest): Record<string, string> {
  const { version, release, service, environment, from, to, fromMs, toMs } = placeholderValues(
    subject,
    window,
  )
  return {
    SLUICE_METRIC: metric.name,
    SLUICE_KIND: metric.measure.kind,
    SLUICE_VERSION: version,
    SLUICE_RELEASE: release,
    SLUICE_SERVICE: service,
    SLUICE_ENVIRONMENT: environment,
    SLUICE_WINDOW_FROM: from,
    SLUICE_WINDOW_TO: to,
    SLUICE_WINDOW_FROM_MS: fromMs,
    SLUICE_WINDOW_TO_MS: toMs,
  }
}

type Reader = { context: ReadingContext; place: string }

function readEnding(ending: Ending, { context, place }: Reader): MetricReading {
  switch (ending.kind) {
    case 'timed-out':
      return failure(timedOut(place, context.metric), context)
    case 'cancelled':
      return failure(cancelled(place), context)
    case 'too-large':
      return failure(tooLarge(place), context)
    case 'not-started':
      return failure(commandFailed(`${place} could not be started`, ending.error), context)
    case 'signalled':
      return failure(
        commandFailed(`${place} was ended by ${ending.signal}`, said(ending.errors, context)),
        context,
      )
    case 'exited':
      if (ending.code !== 0)
        return failure(
          commandFailed(`${place} ended with code ${ending.code}`, said(ending.errors, context)),
          context,
        )
      return readOutput(ending.output, { context, place })
  }
}

const said = (errors: string, { hide }: ReadingContext): string =>
  hide(errors).split('\n').slice(-SHOWN_LINES).map(plainText).join('\n')

const commandFailed = (message: string, cause: string) =>
  problem('METRIC_COMMAND_FAILED', {
    message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`,
    cause: cause === '' ? undefined : cause,
    remedy: 'Run the command by hand, with SLUICE_VERSION, SLUICE_WINDOW_FROM and SLUICE_WINDOW_TO set.',
    retryable: true,
  })

const NoData = z.object({ noData: z.literal(true) })
const Numbers = z.record(z.string(), z.unknown())
const Buckets = z.object({ buckets: z.array(z.object({ le: z.unknown(), count: z.unknown() })) })

/** `{"noData": true}` says that there is nothing; an output that is no such JSON is a failure, never nothing. */
function readOutput(output: string, { context, place }: Reader): MetricReading {
  const numbers = Numbers.safeParse(jsonIn(output))
  const { kind } = context.metric.measure
  const names = METRIC_PARTS[kind]
  if (!numbers.success)
    return failure(unreadable(place, `its output is no JSON object with ${names.join(' and ')}`), context)
  if (NoData.safeParse(numbers.data).success)
    return nothing(`${place.charAt(0).toUpperCase()}${place.slice(1)} says that there is no data.`, context)
  if (context.metric.measure.kind === 'histogram')
    return readBuckets(numbers.data, context.metric.measure.bounds, { context, place })
  if (kind === 'histogram') throw new Error('a histogram was read already')
  const amounts: Record<string, Amount> = {}
  for (const name of names) {
    const amount = amountOf(numbers.data[name])
    if (amount === undefined)
      return failure(
        unreadable(place, `${name} is ${JSON.stringify(numbers.data[name]) ?? 'not there'}`),
        context,
      )
    amounts[name] = amount
  }
  return readingOf(countedFrom(kind, amounts), context)
}

function readBuckets(value: unknown, bounds: readonly number[], { context, place }: Reader): MetricReading {
  const parsed = Buckets.safeParse(value)
  const rows: BucketRow[] = []
  for (const { le, count } of parsed.data?.buckets ?? []) {
    const [bound, amount] = [amountOf(le), amountOf(count)]
    if (bound === undefined || amount === undefined)
      return failure(unreadable(place, 'a bucket has no number as le or count'), context)
    rows.push({ le: bound, count: amount })
  }
  if (!parsed.success)
    return failure(unreadable(place, 'buckets is no list of { "le": number, "count": number }'), context)
  return readingOf(histogramFrom(bounds, rows, { cumulative: false }), context)
}

function jsonIn(output: string): unknown {
  try {
    return JSON.parse(output)
  } catch {
    return undefined
  }
}
