import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { ServiceView } from '../../core/rollout/view/view.ts'
import { reasonInput } from '../action.ts'
import { ViewAnswer } from '../answers.ts'
import { defineCommand } from '../command.ts'
import { connectStarting } from '../controller/connect.ts'
import { addressOf } from '../session.ts'
import { type Line, span, strong } from '../text/line.ts'

export const command = defineCommand({
  description:
    'Lets an adopted process go: it keeps running unchanged, and Sluice no longer watches it or sends traffic to it.',
  arguments: [],
  options: [{ flags: '--reason <text>', summary: 'why, for the journal' }],
  examples: ['sluice unadopt', 'sluice unadopt --reason "back to the old load balancer"'],
  input: z.object({ reason: z.string().exactOptional() }),
  async run(session, { reason }) {
    const connection = await connectStarting(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const { client } = connection.value
    // Afterwards no view names the process any more.
    const before = await client.call('get_service', addressOf(session), ServiceView)
    if (before.kind === 'failed') return session.fail(before.problem)
    const answer = await client.call('unadopt', { ...addressOf(session), ...reasonInput(reason) }, ViewAnswer)
    if (answer.kind === 'failed') return session.fail(answer.problem)
    session.value('view', { view: answer.value.view })
    session.say(givenBackLines(before.value))
    return EXIT_CODE.promoted
  },
})

/** What was given back, and where its clients find it from now on. */
function givenBackLines({ service, stable, sets, listen }: ServiceView): Line[] {
  const port = sets.find(({ release }) => release === stable?.release)?.instances[0]?.port
  const where = port === undefined ? 'its own port' : `port ${port}`
  return [
    [
      span('✓ ', 'good'),
      strong(`${service} ${stable?.version ?? ''}`.trim()),
      span(` was given back. It runs on unchanged on ${where}.`),
    ],
    [span(`  Move clients there: ${listen === '' ? 'the listener' : listen} closes.`)],
  ]
}
