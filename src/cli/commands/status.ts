import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { ServiceView } from '../../core/rollout/view/view.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { ProxyAnswer, ServicesAnswer } from '../answers.ts'
import type { CallFailure, Client } from '../client.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../controller/connect.ts'
import { addressOf, columnsOf, type Session } from '../session.ts'
import { statusLines } from '../status-text.ts'
import { otherVersionLine } from '../text/proxy.ts'

export const command = defineCommand({
  description:
    'One look at what runs, what share of traffic each version has, and what the last rollout did. Starts and changes nothing.',
  arguments: [],
  options: [],
  examples: ['sluice status', 'sluice status --env production --json'],
  input: z.object({}),
  async run(session) {
    const connection = connect(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const views = await viewsOf(session, connection.value.client)
    if (views.kind === 'failed') return session.fail(views.problem)
    const columns = columnsOf(session)
    session.value('status', { services: views.value })
    for (const view of views.value) session.say(statusLines(view, { columns, now: session.io.now() }))
    const proxy = await connection.value.client.call('get_proxy', {}, ProxyAnswer)
    const other = proxy.kind === 'ok' ? otherVersionLine(proxy.value) : null
    if (other !== null) session.say([other])
    if (views.value.length === 0)
      session.note('No service is known here yet. `sluice deploy VERSION` releases the first one.')
    return EXIT_CODE.promoted
  },
})

/** The named service, or all of the environment. */
async function viewsOf(session: Session, client: Client): Promise<Result<ServiceView[], CallFailure>> {
  if (session.service !== null) {
    const one = await client.call('get_service', addressOf(session), ServiceView)
    return one.kind === 'ok' ? ok([one.value]) : failed(one.problem)
  }
  const all = await client.call('list_services', {}, ServicesAnswer)
  if (all.kind === 'failed') return all
  return ok(
    all.value.services.filter(
      ({ environment }) => session.environment === null || environment === session.environment,
    ),
  )
}
