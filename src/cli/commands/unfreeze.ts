import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { FreezeAnswer } from '../answers.ts'
import { defineCommand } from '../command.ts'
import { connectStarting } from '../controller/connect.ts'
import { environmentInput } from '../session.ts'

export const command = defineCommand({
  description: 'What was held by `sluice freeze` goes on, and what waited for it begins.',
  arguments: [],
  options: [],
  examples: ['sluice unfreeze --env production'],
  input: z.object({}),
  async run(session) {
    const connection = await connectStarting(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const answer = await connection.value.client.call('unfreeze', environmentInput(session), FreezeAnswer)
    if (answer.kind === 'failed') return session.fail(answer.problem)
    session.value('freeze', answer.value)
    session.note(`${answer.value.environment} is not frozen any more.`)
    return EXIT_CODE.promoted
  },
})
