import type { Hono } from 'hono'
import { problem } from '../core/shared/problem.ts'
import type { AlertReceipt } from '../operations/hear-alerts.ts'
import { readAlertmanager, type Unreadable } from './alertmanager.ts'
import type { AppEnv } from './app-env.ts'
import type { Settings } from './options.ts'
import { problemResponse } from './problem-response.ts'
import { readJson } from './read-json.ts'

/** What was ignored is named, but not without end. */
const MOST_NAMED = 50

/**
 * `POST /alerts`: what Alertmanager says. What nothing here is concerned with is answered with 200, too: it is no failure,
 * and would be sent again and again. Only when it could not be kept the sender should try again (503).
 */
export function addAlerts<Context>(app: Hono<AppEnv>, settings: Settings<Context>): void {
  app.post('/alerts', async (c) => {
    const body = await readJson(c)
    if (body.kind === 'failed') return problemResponse(c, body.problem)
    const message = readAlertmanager(body.value)
    if (message.kind === 'failed') return problemResponse(c, message.problem)
    const { alerts, unreadable } = message.value
    const heard = await settings.hearAlerts(alerts)
    if (heard.kind === 'failed') return problemResponse(c, heard.problem, 503)
    return c.json(answerOf(heard.value, unreadable))
  })
  app.all('/alerts', (c) => {
    c.header('allow', 'POST')
    return problemResponse(
      c,
      problem('METHOD_NOT_ALLOWED', {
        message: `Alerts are not taken by ${c.req.method}.`,
        remedy: 'Send them with POST, as a webhook_config of Alertmanager does.',
      }),
    )
  })
}

function answerOf({ taken, known, ignored }: AlertReceipt, unreadable: readonly Unreadable[]) {
  const all = [
    ...unreadable.map(({ index, why }) => ({ alert: `number ${index + 1}`, why })),
    ...ignored.map(({ name, why }) => ({ alert: name, why })),
  ]
  return { taken, known, ignored: all.length, because: all.slice(0, MOST_NAMED) }
}
