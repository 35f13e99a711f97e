import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { Replay } from '../../core/rollout/replay/replay.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../controller/connect.ts'
import { noBatches } from '../explain/explain-rollout.ts'
import { replayLines } from '../explain/replay-text.ts'
import { LAST, rolloutNamed } from '../rollout-named.ts'
import { columnsOf } from '../session.ts'

const ENDS_WITH: Record<Replay['standing'], number> = {
  equal: EXIT_CODE.promoted,
  differs: EXIT_CODE.internal,
  'other-method': EXIT_CODE.noData,
}

export const command = defineCommand({
  description:
    'Judges all stored batches and metric windows of a rollout again, makes its decisions again, and compares, bit for bit, with what was decided and recorded. Ends with 0 when all is equal, with 1 when something differs, with 14 when nothing was counted or when it was judged by another method. Changes nothing.',
  arguments: [
    {
      name: 'rollout',
      summary: 'id of the rollout; without it the current or last one',
      required: false,
    },
  ],
  options: [],
  examples: ['sluice replay', 'sluice replay rollout-7k2m9p --json'],
  input: z.object({ rollout: z.string().default(LAST) }),
  async run(session, { rollout }) {
    const connection = connect(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const { client } = connection.value
    const id = await rolloutNamed(session, client, rollout)
    if (id.kind === 'failed') return session.fail(id.problem)
    const answer = await client.call('replay_rollout', { id: id.value }, Replay)
    if (answer.kind === 'failed') return session.fail(answer.problem)
    const { batches, windows, decisions, standing } = answer.value
    if (batches + windows + decisions === 0) return session.fail(noBatches(id.value), EXIT_CODE.noData)
    session.value('replay', answer.value)
    session.say(replayLines(answer.value, columnsOf(session)))
    return ENDS_WITH[standing]
  },
})
