import type { Event, EventOf } from '../../../core/rollout/event.ts'
import type { MetricSide, SampledWindow } from '../../../core/rollout/metrics/metric-state.ts'
import type { Reason } from '../../../core/rollout/reason.ts'
import { isWayBack } from '../../../core/rollout/refusal.ts'
import type { RolloutState, ServiceState } from '../../../core/rollout/state.ts'
import { severityOf } from '../../../core/shared/alert.ts'
import type { MetricDefinition } from '../../../core/shared/metric-definition.ts'
import type { Book } from './book.ts'
import type { JournalRule } from './journal-rules.ts'

/** What declared metrics and alerts may lead to, told once more from the events and from what the world knows. */
export const SIGNAL_RULES: readonly JournalRule[] = [
  ({ book, before, event }) => metricMayAct(book, before, event),
  ({ book, before, event }) => lackMayAct(book, before, event),
  ({ book, before, event }) => stageWasMeasured(book, before, event),
  ({ book, before, event }) => alertMayAct(book, before, event),
  ({ before, event }) => alertIsWeighed(before, event),
  ({ book, event }) => alertIsHeardOnce(book, event),
  ({ before, event }) => alertIsNotOverlooked(before, event),
]

type Decision = EventOf<'return-started' | 'failure-held' | 'rollout-paused'>
const isDecision = (event: Event): event is Decision =>
  event.kind === 'return-started' || event.kind === 'failure-held' || event.kind === 'rollout-paused'

const candidateOf = ({ plan }: RolloutState): string => plan.to.release
const metricNamed = ({ settings }: RolloutState, name: unknown): MetricDefinition | undefined =>
  settings.analysis.metrics.find((metric) => metric.name === name)

/** The events of the present rollout, oldest first. */
function ofRollout({ events }: Book): Event[] {
  const start = events.findLastIndex(({ event }) => event.kind === 'rollout-started')
  return events.slice(start).map(({ event }) => event)
}

const answersAbout = (events: readonly Event[], metric: string): EventOf<'metric-sampled'>[] =>
  events.filter(
    (event): event is EventOf<'metric-sampled'> => event.kind === 'metric-sampled' && event.metric === metric,
  )

/** A verdict on a declared metric follows its tier, and what providers said about the candidate. */
function metricMayAct(book: Book, { rollout }: ServiceState, event: Event): string | null {
  if (rollout === null || !isDecision(event)) return null
  const metric = metricNamed(rollout, event.reason.evidence.check)
  if (metric === undefined || !event.reason.code.startsWith('CHECK_')) return null
  const { name, tier, measure } = metric
  if (tier === 'report') return `${name} is only reported, and led to ${event.kind}`
  const level = event.reason.code === 'CHECK_CRITICAL' ? 'critical' : 'warning'
  // A value has both limits, whatever its tier.
  const isFit =
    measure.kind === 'value' ? level === 'warning' || measure.criticalPercent !== null : tier === level
  if (!isFit) return `${name} is ${tier}, and its verdict was ${level}`
  const isTrue = !book.truth.hasLied(name) && !book.truth.isHarmful(candidateOf(rollout))
  return isTrue ? `${candidateOf(rollout)} is not worse in ${name} and is condemned for it` : null
}

/** What cannot be measured says nothing about a candidate: only the policy for it may end the rollout. */
function lackMayAct(book: Book, { rollout }: ServiceState, event: Event): string | null {
  if (rollout === null || !isDecision(event)) return null
  const { code, evidence } = event.reason
  if (code !== 'METRIC_NO_DATA' && code !== 'METRIC_PROVIDER_BROKEN') return null
  const metric = metricNamed(rollout, evidence.metric)
  if (metric === undefined) return `${code} names no metric`
  const { name, tier, trouble, noData } = metric
  const isBroken = code === 'METRIC_PROVIDER_BROKEN'
  if (tier !== 'critical' || (isBroken ? trouble : noData).policy !== 'rollback')
    return `${name} (${tier}) could not be measured, its policy is not to go back, and it did`
  const answers = answersAbout(ofRollout(book), name)
  if (isBroken) {
    const failed = answers.length - 1 - answers.findLastIndex(({ sample }) => !hasFailed(sample))
    return failed >= trouble.failures
      ? null
      : `${name} failed ${failed} times of ${trouble.failures} and counts as broken`
  }
  const answered = answers.filter(({ sample }) => !hasFailed(sample))
  const last = answered.findLastIndex(({ sample }) => hasCounted(sample))
  const [first, end] = [answered[last + 1], answered.at(-1)]
  const emptyMs = first === undefined || end === undefined ? -1 : end.at - first.at
  return emptyMs >= noData.afterMs
    ? null
    : `${name} was empty for ${emptyMs} ms of ${noData.afterMs} and has no data`
}

const sidesOf = ({ candidate, stable }: SampledWindow): MetricSide[] => [candidate, stable]
const hasFailed = (sample: SampledWindow): boolean => sidesOf(sample).some(({ kind }) => kind === 'failure')
const hasCounted = (sample: SampledWindow): boolean =>
  sidesOf(sample).every((side) => {
    if (side.kind === 'value') return true
    if (side.kind !== 'counts') return false
    if ('bad' in side.side) return side.side.total > 0
    return 'events' in side.side ? side.side.exposure > 0 : side.side.counts.some((count) => count > 0)
  })

/** No data is never healthy: a stage in which both versions have traffic ends by itself with numbers of every critical metric. */
function stageWasMeasured(book: Book, { rollout, stable }: ServiceState, event: Event): string | null {
  if (rollout === null || stable === null || event.kind !== 'step-finished' || event.skipped) return null
  const step = rollout.plan.steps[event.index]?.step
  if (step?.kind !== 'observe' || isWayBack(rollout.order)) return null
  const before = rollout.plan.steps.slice(0, event.index).findLast((one) => one.step.kind === 'traffic')?.step
  if (before?.kind !== 'traffic' || before.weightPermille >= 1000) return null
  const events = ofRollout(book)
  const stage = events.slice(events.findLastIndex(({ kind }) => kind === 'step-started'))
  const unmeasured = rollout.settings.analysis.metrics.find(
    ({ name, tier, noData, trouble }) =>
      tier === 'critical' &&
      noData.policy !== 'ignore' &&
      trouble.policy !== 'ignore' &&
      !answersAbout(stage, name).some(({ sample }) => hasCounted(sample)),
  )
  return unmeasured === undefined ? null : `the stage ended without numbers of ${unmeasured.name}`
}

/** An alert acts as it was weighed, while it fires, and as a pause once. */
function alertMayAct(book: Book, { rollout }: ServiceState, event: Event): string | null {
  if (rollout === null || !isDecision(event)) return null
  const action = actionOf(event.reason)
  if (action === null) return null
  const { alert: name, fingerprint, startsAt } = event.reason.evidence
  const isIt = (of: { fingerprint: string; startsAt: number }): boolean =>
    of.fingerprint === fingerprint && of.startsAt === startsAt
  const events = ofRollout(book)
  const said = events.flatMap((one) =>
    (one.kind === 'alert-heard' || one.kind === 'alert-over') && isIt(one.alert) ? [one] : [],
  )
  const last = said.at(-1)
  if (last === undefined) return `nobody heard of ${name}, and it led to ${event.kind}`
  if (last.kind === 'alert-over') return `${name} was over, and it led to ${event.kind}`
  if (last.alert.action !== action) return `${name} is to ${last.alert.action}, and it led to ${event.kind}`
  const again = events.some(
    (one) =>
      one.kind === 'rollout-paused' &&
      event.kind === 'rollout-paused' &&
      one.checks.some((check) => event.checks.includes(check)),
  )
  return again ? `${name} paused ${rollout.id} twice` : null
}

function actionOf({ code }: Reason): 'rollback' | 'pause' | null {
  if (code === 'ALERT_CRITICAL') return 'rollback'
  return code === 'ALERT_WARNING' ? 'pause' : null
}

/** What was wrong before the candidate had traffic is not its fault; else the file says what follows. */
function alertIsWeighed({ rollout, traffic }: ServiceState, event: Event): string | null {
  if (event.kind !== 'alert-heard') return null
  const { name, action, startsAt, labels } = event.alert
  if (rollout === null) return `${name} was heard without a rollout`
  if (labels.version !== undefined && labels.version !== rollout.plan.to.version)
    return `${name} is about ${labels.version}, and was heard for ${rollout.plan.to.version}`
  if (action === 'report') return null
  const { alerts } = rollout.settings.analysis
  const severity = severityOf(event.alert)
  const wanted = severity === 'critical' || severity === 'warning' ? alerts[severity] : 'report'
  if (action !== wanted) return `${name} (${severity}) is to ${action}, and the file says ${wanted}`
  if (startsAt < rollout.startedAt) return `${name} fired before the rollout began, and is to ${action}`
  return (traffic.weights[candidateOf(rollout)] ?? 0) === 0
    ? `${name} is to ${action}, and ${candidateOf(rollout)} had no traffic`
    : null
}

function alertIsHeardOnce(book: Book, event: Event): string | null {
  if (event.kind !== 'alert-heard') return null
  const { fingerprint, startsAt, name } = event.alert
  const isKnown = ofRollout(book).some(
    (one) =>
      one.kind === 'alert-heard' && one.alert.fingerprint === fingerprint && one.alert.startsAt === startsAt,
  )
  return isKnown ? `${name} was heard twice` : null
}

/** While an alert that ends the rollout fires, nothing but its end is decided for a candidate with traffic. */
function alertIsNotOverlooked({ rollout, traffic, stable }: ServiceState, event: Event): string | null {
  if (rollout?.phase.kind !== 'running' || rollout.phase.paused?.failed === true) return null
  if ((traffic.weights[candidateOf(rollout)] ?? 0) === 0 || stable?.release === candidateOf(rollout))
    return null
  if (!['step-started', 'step-finished', 'weights-decided', 'stable-changed'].includes(event.kind))
    return null
  if (event.kind === 'step-finished' && event.skipped) return null
  const firing = rollout.alerts.find(({ action, endedAt }) => action === 'rollback' && endedAt === null)
  return firing === undefined
    ? null
    : `${firing.name} fires and is to end ${rollout.id}, which goes on: ${event.kind}`
}
