import type { Command } from '../core/rollout/command.ts'
import { type MetricQuestion, metricQuestions } from '../core/rollout/metrics/metric-due.ts'
import type { MetricSide, SampledWindow } from '../core/rollout/metrics/metric-state.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { MetricDefinition } from '../core/shared/metric-definition.ts'
import type { MetricSubject, MetricWindow } from '../core/shared/metric-subject.ts'
import type { Problem } from '../core/shared/problem.ts'
import { problem } from '../core/shared/problem.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { MetricProvider, MetricReading } from '../ports/metric.ts'
import { timedOut } from '../ports/metric-problems.ts'
import type { Engine } from './engine.ts'

/** Providers keep to the timeout of the metric by themselves; one that does not is given up a moment later. */
const PATIENCE_MS = 1000
/** Questions are journalled with each answer: so much of them is enough to tell what was asked. */
const LONGEST_ASKED = 2000
const MOST_ASKED = 6

export type MetricWatchParts = {
  providerOf(metric: MetricDefinition): MetricProvider
  engine: Pick<Engine, 'handle'>
  clock: Clock
  log: Log
  epoch: number
}

export interface MetricWatch {
  /** Asks what is due by this state, without waiting for any answer. */
  follow(state: ServiceState): void
}

/**
 * Asks providers for the declared metrics of a rollout, beside the looks: a provider that is slow delays nothing but its
 * own metric, of which one question at most is under way. An answer comes back as a command like any other. With the
 * rollout, and with the signal, every question is given up.
 */
export function watchMetrics(parts: MetricWatchParts, stream: string, signal: AbortSignal): MetricWatch {
  const { clock, providerOf } = parts
  /** By metric. */
  const underWay = new Map<string, AbortController>()
  /** Where the next window begins for a provider that only knows what passes from now on, and was asked then. */
  const begun = new Map<string, number>()
  let rollout: string | null = null

  function stop(): void {
    for (const question of underWay.values()) question.abort()
    underWay.clear()
    begun.clear()
  }

  function follow(state: ServiceState): void {
    if (signal.aborted) return
    const questions = metricQuestions(state, clock.now())
    const running = state.rollout?.phase.kind === 'running' ? state.rollout.id : null
    if (running !== rollout) stop()
    rollout = running
    for (const question of questions) if (!underWay.has(question.metric.name)) void ask(question)
  }

  async function ask(question: MetricQuestion): Promise<void> {
    const { metric, window, fromMs } = question
    const isLate = providerOf(metric).history === 'from-now-on' && begun.get(metric.name) !== fromMs
    const begins = isLate && window === null && clock.now() >= fromMs
    if (window === null && !begins) return
    const gaveUp = new AbortController()
    underWay.set(metric.name, gaveUp)
    begun.set(metric.name, window?.toMs ?? fromMs)
    const asked = window ?? { fromMs, toMs: fromMs }
    const sample = await bothSides(parts, { ...question, window: asked }, gaveUp.signal)
    // What it says at the beginning of a window is of no use; that it was asked is.
    if (window !== null && !gaveUp.signal.aborted)
      await tell(parts, stream, commandOf(parts, question, sample))
    if (underWay.get(metric.name) === gaveUp) underWay.delete(metric.name)
  }

  signal.addEventListener('abort', stop, { once: true })
  return { follow }
}

const commandOf = (
  { epoch }: MetricWatchParts,
  { rollout, metric }: MetricQuestion,
  sample: SampledWindow,
): Command => ({ kind: 'metric-sampled', underEpoch: epoch, rollout, metric: metric.name, sample })

async function tell({ engine, log }: MetricWatchParts, stream: string, command: Command): Promise<void> {
  try {
    const decided = await engine.handle(stream, command)
    if (decided.kind === 'failed')
      log.error('an answer about a metric could not be decided', { stream, problem: decided.problem })
  } catch (error) {
    log.error('an answer about a metric could not be decided', { stream, error: String(error) })
  }
}

type Asking = Omit<MetricQuestion, 'window'> & { window: MetricWindow }

/** Both versions at once, over the same window. */
async function bothSides(
  parts: MetricWatchParts,
  { metric, window, ...question }: Asking,
  signal: AbortSignal,
): Promise<SampledWindow> {
  const ask = (subject: MetricSubject) => oneSide(parts, { metric, window, subject }, signal)
  const [candidate, stable] = await Promise.all([ask(question.candidate), ask(question.stable)])
  return { window, candidate, stable }
}

async function oneSide(
  { providerOf, clock, log }: MetricWatchParts,
  request: { metric: MetricDefinition; window: MetricWindow; subject: MetricSubject },
  signal: AbortSignal,
): Promise<MetricSide> {
  const { metric } = request
  const limit = new AbortController()
  const ended = new AbortController()
  const tooLate = clock
    .sleep(metric.timeoutMs + PATIENCE_MS, AbortSignal.any([signal, ended.signal]))
    .then((): MetricSide => {
      limit.abort()
      return failed(timedOut('the provider', metric))
    })
  const answered = Promise.resolve()
    .then(() => providerOf(metric).sample(request, AbortSignal.any([signal, limit.signal])))
    .then(sideOf, (error: unknown): MetricSide => {
      log.error('a metric provider broke', { metric: metric.name, error: String(error) })
      return failed(broke(metric))
    })
  const side = await Promise.race([answered, tooLate])
  ended.abort()
  return side
}

const failed = (of: Problem): MetricSide => ({ kind: 'failure', problem: of, retryAfterMs: null, asked: [] })

const broke = ({ name }: MetricDefinition): Problem =>
  problem('METRIC_PROVIDER_UNWELL', {
    message: `The provider of ${name} broke while it was asked.`,
    remedy: 'Look at the log of the controller. The question is asked again.',
    retryable: true,
  })

function sideOf(reading: MetricReading): MetricSide {
  const asked = reading.asked.slice(0, MOST_ASKED).map((text) => text.slice(0, LONGEST_ASKED))
  switch (reading.kind) {
    case 'failure':
      return { kind: 'failure', problem: reading.problem, retryAfterMs: reading.retryAfterMs, asked }
    case 'no-data':
      return { kind: 'no-data', reason: reading.reason, asked }
    case 'sample':
      return countedSide(reading, asked)
  }
}

function countedSide(
  { sample, covered }: Extract<MetricReading, { kind: 'sample' }>,
  asked: string[],
): MetricSide {
  switch (sample.kind) {
    case 'value':
      return { kind: 'value', value: sample.value, covered, asked }
    case 'ratio':
      return { kind: 'counts', side: { bad: sample.bad, total: sample.total }, covered, asked }
    case 'rate':
      return { kind: 'counts', side: { events: sample.events, exposure: sample.exposure }, covered, asked }
    case 'histogram':
      return { kind: 'counts', side: { counts: sample.counts }, covered, asked }
  }
}
