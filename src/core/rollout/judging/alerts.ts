import type { AnalysisSettings } from '../../release/analysis-settings.ts'
import { type Alert, severityOf } from '../../shared/alert.ts'
import type { Event, EventOf } from '../event.ts'
import type { Actor, Reason } from '../reason.ts'
import { isCandidateStable, runningRollout } from '../rollout-position.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import type { AlertAction, HeardAlert } from './heard-alert.ts'

/** More alerts than this in one rollout help nobody. What acts always gets in. */
export const ALERTS_LIMIT = 50
/** Whoever sent it: an automatic rollback, as by any other evidence. */
export const ALERTMANAGER: Actor = { kind: 'engine', name: 'alertmanager' }

/** What an alert means for the rollout of one service. `known`: it was heard already. */
export type Hearing =
  | { kind: 'ignored'; why: string }
  | { kind: 'known' }
  | { kind: 'over'; alert: HeardAlert }
  | { kind: 'heard'; alert: HeardAlert }

export function hear(state: ServiceState, alert: Alert, now: number): Hearing {
  const rollout = runningRollout(state)
  if (rollout === null || isCandidateStable(state, rollout))
    return ignored(`no rollout of ${state.stream} is in progress`)
  const stranger = whyStranger(rollout, alert)
  if (stranger !== null) return ignored(stranger)
  const known = rollout.alerts.find(
    ({ fingerprint, startsAt }) => fingerprint === alert.fingerprint && startsAt === alert.startsAt,
  )
  if (alert.status === 'resolved') {
    const firing = rollout.alerts.find(
      ({ fingerprint, endedAt }) => fingerprint === alert.fingerprint && endedAt === null,
    )
    if (firing !== undefined) return { kind: 'over', alert: firing }
    return known === undefined ? ignored('it ended before anything was heard of it') : { kind: 'known' }
  }
  if (known !== undefined) return { kind: 'known' }
  const { status: _status, ...said } = alert
  return {
    kind: 'heard',
    alert: { ...said, heardAt: now, endedAt: null, ...actionFor(state, rollout, alert) },
  }
}

const ignored = (why: string): Hearing => ({ kind: 'ignored', why })

/** Why the alert is not about this candidate, or `null`. */
function whyStranger({ plan, settings }: RolloutState, { labels }: Alert): string | null {
  for (const [label, wanted] of Object.entries(settings.analysis.alerts.match))
    if (labels[label] !== wanted)
      return `its label ${label} is ${labels[label] === undefined ? 'missing' : `"${labels[label]}"`}, not "${wanted}"`
  const { version, release } = plan.to
  if (labels.version !== undefined && labels.version !== version)
    return `it is about version ${labels.version}, not about ${version}`
  if (labels.release !== undefined && labels.release !== release && labels.release !== version)
    return `it is about release ${labels.release}, not about ${version}`
  return null
}

/** What was wrong before the candidate had any traffic cannot be its fault. */
function actionFor(
  state: ServiceState,
  rollout: RolloutState,
  alert: Alert,
): Pick<HeardAlert, 'action' | 'why'> {
  const action = wantedAction(rollout.settings.analysis, severityOf(alert))
  if (action === 'report') return { action, why: '' }
  const report = (why: string) => ({ action: 'report' as const, why })
  if (alert.startsAt < rollout.startedAt) return report('it was firing before the rollout began')
  if ((state.traffic.weights[rollout.plan.to.release] ?? 0) === 0)
    return report('the candidate has no traffic')
  return rollout.plan.kind === 'deploy' ? { action, why: '' } : report('this rollout has no stages')
}

function wantedAction({ alerts }: AnalysisSettings, severity: string): AlertAction {
  if (severity === 'critical') return alerts.critical
  return severity === 'warning' ? alerts.warning : 'report'
}

/** Several alerts of one delivery. The same delivery again says nothing new. */
export function hearAll(state: ServiceState, alerts: readonly Alert[], now: number): Event[] {
  const events: Event[] = []
  const heard = new Set<string>()
  let room = ALERTS_LIMIT - (state.rollout?.alerts.length ?? 0)
  for (const one of alerts) {
    const hearing = hear(state, one, now)
    const key = `${one.fingerprint} ${one.startsAt} ${one.status}`
    if (heard.has(key)) continue
    heard.add(key)
    if (hearing.kind === 'over') events.push({ kind: 'alert-over', at: now, alert: hearing.alert })
    if (hearing.kind !== 'heard' || (room <= 0 && hearing.alert.action === 'report')) continue
    room -= 1
    events.push({ kind: 'alert-heard', at: now, alert: hearing.alert })
  }
  return events
}

export function evolveAlerts(
  rollout: RolloutState,
  event: EventOf<'alert-heard' | 'alert-over'>,
): RolloutState {
  const { alerts } = rollout
  const { fingerprint, startsAt } = event.alert
  const isIt = (one: HeardAlert): boolean => one.fingerprint === fingerprint && one.startsAt === startsAt
  if (event.kind === 'alert-over')
    return {
      ...rollout,
      alerts: alerts.map((one) => (isIt(one) ? { ...one, endedAt: event.at } : one)),
    }
  return {
    ...rollout,
    alerts: withRoom(
      alerts.filter((one) => !isIt(one)),
      event.alert,
    ),
  }
}

/** The oldest one from which nothing follows any more makes room. */
function withRoom(alerts: readonly HeardAlert[], alert: HeardAlert): HeardAlert[] {
  const idle = alerts.findIndex(({ action, endedAt }) => action === 'report' || endedAt !== null)
  const kept = alerts.length < ALERTS_LIMIT ? alerts : alerts.toSpliced(Math.max(0, idle), 1)
  return [...kept, alert]
}

const checkNameOf = ({ fingerprint, startsAt }: HeardAlert): string => `alert ${fingerprint} ${startsAt}`

/** The alert that fires and has this consequence, if nobody let it pass; `null` for none. */
export function alertsShown(
  { alerts, acknowledged }: RolloutState,
  action: 'rollback' | 'pause',
): { reason: Reason; checks: string[] } | null {
  const firing = alerts.filter(
    (alert) =>
      alert.endedAt === null && alert.action === action && !acknowledged.includes(checkNameOf(alert)),
  )
  const [first] = firing
  if (first === undefined) return null
  const more = firing.length === 1 ? '' : `, and ${firing.length - 1} more`
  const { fingerprint, labels, link, startsAt, name: alert } = first
  return {
    reason: {
      code: action === 'rollback' ? 'ALERT_CRITICAL' : 'ALERT_WARNING',
      message: `${firingText(first)}${more}`,
      evidence: { alert, fingerprint, labels, link, startsAt },
      actor: ALERTMANAGER,
    },
    checks: firing.map(checkNameOf),
  }
}

const firingText = (alert: HeardAlert): string =>
  `alert ${alert.name} is firing (${severityOf(alert)})${alert.summary === '' ? '' : `: ${alert.summary}`}`

/** The line of the timeline. */
export function alertText({ kind, alert }: EventOf<'alert-heard' | 'alert-over'>): string {
  if (kind === 'alert-over')
    return `alert ${alert.name} is over${alert.action === 'pause' ? '; what it paused goes on with "sluice resume"' : ''}`
  const nothing = alert.why === '' ? '' : `; nothing follows from it, since ${alert.why}`
  return `${firingText(alert)}${nothing}`
}
