import * as z from 'zod'
import type { Alert } from '../core/shared/alert.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'

const MAX_LABELS = 30
const MAX_LABEL_LENGTH = 200
const MAX_SUMMARY_LENGTH = 500
const MAX_LINK_LENGTH = 2000

const Labels = z.record(z.string(), z.string())

/** What is read of one alert of a webhook message, version 4 (prometheus.io/docs/alerting/latest/configuration, "webhook_config"). */
const SentAlert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: Labels,
  annotations: Labels.default({}),
  startsAt: z.iso.datetime({ offset: true }),
  generatorURL: z.string().default(''),
  fingerprint: z.string().min(1).max(64),
})

const Message = z.object({ alerts: z.array(z.unknown()) })

/** One alert that could not be read, by its place in the message. */
export type Unreadable = { index: number; why: string }

/** Reads a message of Alertmanager, or of something that speaks like it. One bad alert does not take the others with it. */
export function readAlertmanager(body: unknown): Result<{ alerts: Alert[]; unreadable: Unreadable[] }> {
  const message = Message.safeParse(body)
  if (!message.success)
    return failed(
      problem('ALERTS_NOT_READABLE', {
        message: 'The message has no list "alerts", so it is not from Alertmanager (webhook version 4).',
        remedy: 'Send it with a webhook_config of Alertmanager, or in the same form.',
      }),
    )
  const read = message.data.alerts.map((one) => SentAlert.safeParse(one))
  return ok({
    alerts: read.flatMap((one) => (one.success ? [alertOf(one.data)] : [])),
    unreadable: read.flatMap((one, index) => (one.success ? [] : [{ index, why: whyOf(one.error) }])),
  })
}

function whyOf({ issues: [issue] }: z.ZodError): string {
  const path = issue?.path.map(String).join('.') ?? ''
  return `it cannot be read${path === '' ? '' : `: ${path} is not as Alertmanager writes it`}`
}

function alertOf({
  status,
  labels,
  annotations,
  startsAt,
  generatorURL,
  fingerprint,
}: z.infer<typeof SentAlert>): Alert {
  return {
    fingerprint,
    status,
    name: cut(labels.alertname ?? fingerprint, MAX_LABEL_LENGTH),
    labels: cutLabels(labels),
    summary: cut(annotations.summary ?? annotations.description ?? '', MAX_SUMMARY_LENGTH),
    link: linkIn(generatorURL),
    startsAt: Date.parse(startsAt),
  }
}

/** Labels that decide something are kept before the others. */
const FIRST = ['service', 'environment', 'version', 'release', 'severity', 'alertname']

function cutLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const rank = ([name]: readonly [string, string]): number => (FIRST.includes(name) ? 0 : 1)
  const kept = Object.entries(labels)
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, MAX_LABELS)
  return Object.fromEntries(
    kept.map(([name, value]) => [cut(name, MAX_LABEL_LENGTH), cut(value, MAX_LABEL_LENGTH)]),
  )
}

/** Without control characters: it is shown in a terminal. */
const cut = (text: string, length: number): string => {
  const plain = text.replace(/\p{Cc}+/gu, ' ').trim()
  return plain.length > length ? `${plain.slice(0, length - 3)}...` : plain
}

function linkIn(text: string): string | null {
  const isLink = /^https?:\/\//i.test(text) && text.length <= MAX_LINK_LENGTH && URL.canParse(text)
  return isLink ? text : null
}
