import { ALERTMANAGER, ALERTS_LIMIT, hear } from '../core/rollout/judging/alerts.ts'
import { type Alert, severityOf } from '../core/shared/alert.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'

/** What became of a delivery. `known`: heard before, which is normal, since they are sent again and again. */
export type AlertReceipt = {
  taken: number
  known: number
  ignored: { name: string; why: string }[]
}

/** Takes alerts to the services they are about. A failure means that nothing is certain, and they may be sent again. */
export async function hearAlerts(
  { engine, store }: Pick<OperationContext, 'engine' | 'store'>,
  alerts: readonly Alert[],
  now: number,
): Promise<Result<AlertReceipt>> {
  const receipt: AlertReceipt = { taken: 0, known: 0, ignored: [] }
  if (alerts.length === 0) return ok(receipt)
  const streams = await store.streams()
  if (streams.kind === 'failed') return streams
  for (const alert of alerts)
    if (!streams.value.some((stream) => isAbout(alert, stream)))
      receipt.ignored.push({ name: alert.name, why: whyNobody(alert) })
  for (const stream of streams.value) {
    const about = alerts.filter((alert) => isAbout(alert, stream))
    const heard =
      about.length === 0 ? ok(undefined) : await hearAbout(engine, { stream, about, now }, receipt)
    if (heard.kind === 'failed') return heard
  }
  return ok(receipt)
}

/** The label `service` must be there; without `environment` every environment of the service is meant. */
function isAbout({ labels: { service, environment } }: Alert, stream: string): boolean {
  if (service === undefined) return false
  if (environment !== undefined) return stream === `${service}.${environment}`
  return stream.startsWith(`${service}.`)
}

const whyNobody = ({ labels: { service, environment } }: Alert): string =>
  service === undefined
    ? 'it has no label service'
    : `no service ${service}${environment === undefined ? '' : ` in ${environment}`} is known here`

type Hearing = { stream: string; about: readonly Alert[]; now: number }

async function hearAbout(
  engine: OperationContext['engine'],
  { stream, about, now }: Hearing,
  receipt: AlertReceipt,
): Promise<Result<void>> {
  const loaded = await engine.load(stream)
  if (loaded.kind === 'failed') return loaded
  const sorted = about.toSorted((a, b) => urgencyOf(a) - urgencyOf(b))
  const news = sorted.filter((alert) => {
    const hearing = hear(loaded.value.state, alert, now)
    if (hearing.kind === 'known') receipt.known += 1
    if (hearing.kind === 'ignored') receipt.ignored.push({ name: alert.name, why: hearing.why })
    return hearing.kind === 'heard' || hearing.kind === 'over'
  })
  const taken = news.slice(0, ALERTS_LIMIT)
  for (const { name } of news.slice(ALERTS_LIMIT))
    receipt.ignored.push({ name, why: `${ALERTS_LIMIT} others of ${stream} came with it` })
  if (taken.length === 0) return ok(undefined)
  const decided = await engine.handle(stream, { kind: 'hear-alerts', alerts: taken, actor: ALERTMANAGER })
  if (decided.kind === 'failed') return decided
  receipt.taken += taken.length
  return ok(undefined)
}

/** What may act goes first, when there are too many. */
function urgencyOf(alert: Alert): number {
  const severity = severityOf(alert)
  if (alert.status === 'resolved') return 2
  return severity === 'critical' ? 0 : severity === 'warning' ? 1 : 3
}
