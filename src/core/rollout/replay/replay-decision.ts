import type { Event, EventOf } from '../event.ts'
import { hear } from '../judging/alerts.ts'
import { candidateSet, judgeRollout } from '../judging/judge-rollout.ts'
import { withNewErrors } from '../judging/new-errors.ts'
import { turnOf } from '../metrics/metric-seen.ts'
import type { Reason } from '../reason.ts'
import { undecidedReason } from '../stages.ts'
import type { ServiceState } from '../state.ts'

/** What became of a decision that was made again. */
export type Redecided =
  | { kind: 'equal' }
  | { kind: 'differs'; what: string; recorded: string; recomputed: string }
  /** It does not follow from the events of the rollout. */
  | { kind: 'not-recomputed'; what: string; why: string }

type DecisionEvent = EventOf<'return-started' | 'failure-held' | 'rollout-paused'>

/** `null` for an event that is no decision on evidence. */
export function redecide(event: Event, before: ServiceState): Redecided | null {
  switch (event.kind) {
    case 'return-started':
    case 'failure-held':
    case 'rollout-paused':
      return decided(event, before)
    case 'alert-heard':
      return heardAgain(event, before)
    case 'metric-sampled':
      return turnedAgain(event, before)
    default:
      return null
  }
}

/** Decisions that follow from something other than numbers, alerts and instances, and why nobody can repeat them here. */
const ELSEWHERE: Record<string, string> = {
  FROZEN: 'the freeze of the environment is kept elsewhere',
  SUPERSEDED: 'a newer release took its place',
  STABLE_AGAIN: 'what is stable was deployed again',
}

function decided(event: DecisionEvent, before: ServiceState): Redecided {
  const { reason, at } = event
  const { rollout } = before
  const what = `${reason.code} ${String(reason.evidence.check ?? reason.evidence.metric ?? '')}`.trim()
  const skipped = (why: string): Redecided => ({ kind: 'not-recomputed', what, why })
  if (rollout === null) return skipped('the rollout had not begun')
  if (reason.actor.kind === 'person') return skipped(`${reason.actor.name} asked for it`)
  if (reason.code in ELSEWHERE) return skipped(ELSEWHERE[reason.code] ?? '')
  const made = reason.code === 'STAGE_UNDECIDED' ? undecidedReason(rollout, at) : judgedReason(event, before)
  const recorded = groundsOf(reason)
  if (made !== null && groundsOf(made) === recorded) return { kind: 'equal' }
  if (!isOfJudgement(reason, made)) return skipped('it was no verdict of the checks')
  if (INSTANCE_CODES.includes(reason.code) && !hasOwnInstances(before))
    return skipped('instances were there before the rollout')
  return {
    kind: 'differs',
    what,
    recorded,
    recomputed: made === null ? 'no check is broken at this moment' : groundsOf(made),
  }
}

const INSTANCE_CODES = ['CRASH_LOOP', 'OUT_OF_MEMORY', 'INSTANCES_FAILING']
const JUDGED_CODES = [
  ...INSTANCE_CODES,
  'CHECK_CRITICAL',
  'CHECK_WARNING',
  'METRIC_NO_DATA',
  'METRIC_PROVIDER_BROKEN',
  'NEW_ERRORS',
  'ALERT_CRITICAL',
  'ALERT_WARNING',
  'STAGE_UNDECIDED',
]

/** A deadline or a refused effect is decided where the step is made; beside a verdict on something else it is still none. */
const isOfJudgement = ({ code }: Reason, made: Reason | null): boolean =>
  JUDGED_CODES.includes(code) || made?.code === code

function judgedReason({ kind }: DecisionEvent, before: ServiceState): Reason | null {
  const { rollout } = before
  if (rollout === null) return null
  const judged = judgeRollout(rollout, candidateSet(before))
  if (judged.kind === 'ok') return null
  return kind === 'rollout-paused' ? judged.reason : withNewErrors(rollout, judged.reason)
}

/** The events of a rollout tell of its instances from their start; of those that ran before it they do not. */
function hasOwnInstances(before: ServiceState): boolean {
  const set = candidateSet(before)
  const startedAt = before.rollout?.startedAt ?? 0
  return (
    set !== undefined && set.instances.length > 0 && set.instances.every((one) => one.startedAt >= startedAt)
  )
}

/** Grounds and not words: those may be put better one day. JSON holds every double exactly. */
function groundsOf({ code, evidence }: Reason): string {
  const { candidate: _candidate, stable: _stable, threshold: _threshold, ...grounds } = evidence
  return JSON.stringify({ code, ...sorted(grounds) })
}

const sorted = (grounds: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(grounds).sort(([a], [b]) => (a < b ? -1 : 1)))

/** What follows from an alert is decided when it is heard. */
function heardAgain({ alert, at }: EventOf<'alert-heard'>, before: ServiceState): Redecided {
  const { heardAt: _heardAt, endedAt: _endedAt, action, why, ...said } = alert
  const again = hear(before, { ...said, status: 'firing' }, at)
  const recorded = JSON.stringify({ action, why })
  const recomputed =
    again.kind === 'heard'
      ? JSON.stringify({ action: again.alert.action, why: again.alert.why })
      : `it is ${again.kind}`
  return recorded === recomputed
    ? { kind: 'equal' }
    : { kind: 'differs', what: `alert ${alert.name}`, recorded, recomputed }
}

/** When the patience with a metric ended, or it was well again. */
function turnedAgain(event: EventOf<'metric-sampled'>, before: ServiceState): Redecided | null {
  const { rollout } = before
  const metric = rollout?.settings.analysis.metrics.find(({ name }) => name === event.metric)
  if (rollout === null || metric === undefined) return null
  const recorded = event.turned ?? 'nothing'
  const recomputed = turnOf(rollout, metric, event) ?? 'nothing'
  if (recorded === 'nothing' && recomputed === 'nothing') return null
  return recorded === recomputed
    ? { kind: 'equal' }
    : { kind: 'differs', what: `metric ${metric.name}`, recorded, recomputed }
}
