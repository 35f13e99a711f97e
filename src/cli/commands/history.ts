import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import type { RolloutSummary } from '../../core/rollout/view/view.ts'
import { RolloutsAnswer } from '../answers.ts'
import { defineCommand, wholeNumber } from '../command.ts'
import { connect } from '../controller/connect.ts'
import { addressOf } from '../session.ts'
import { commitText } from '../source/about-text.ts'
import type { Look } from '../text/line.ts'
import { count } from '../text/number.ts'
import { type Cell, table } from '../text/table.ts'
import { dateTime, span } from '../text/time.ts'

export const command = defineCommand({
  description:
    'Past rollouts, newest first: who, what, how it ended and why, what it cost, and the id for `sluice explain` and `sluice replay`.',
  arguments: [],
  options: [{ flags: '-n, --limit <count>', summary: 'how many (default 20)' }],
  examples: ['sluice history', 'sluice history -n 100 --json'],
  input: z.object({ limit: wholeNumber(1, 500).default(20) }),
  async run(session, { limit }) {
    const connection = connect(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const answer = await connection.value.client.call(
      'list_rollouts',
      { ...addressOf(session), limit },
      RolloutsAnswer,
    )
    if (answer.kind === 'failed') return session.fail(answer.problem)
    const { rollouts } = answer.value
    session.value('history', { rollouts })
    if (rollouts.length === 0)
      session.note('There was no rollout yet. `sluice deploy VERSION` begins the first one.')
    else
      session.say(
        table(
          COLUMNS,
          rollouts.map((rollout) => row(rollout, session.io.now())),
        ),
      )
    return EXIT_CODE.promoted
  },
})

const COLUMNS = [
  { title: 'began (UTC)' },
  { title: 'service' },
  { title: 'from' },
  { title: 'to' },
  { title: 'outcome' },
  { title: 'took', align: 'right' as const },
  { title: 'lost', align: 'right' as const },
  { title: 'by' },
  { title: 'commit' },
  { title: 'rollout' },
  { title: 'why' },
]

const row = (
  { id, startedAt, endedAt, stream, from, to, outcome, requestsLost, actor, reason, about }: RolloutSummary,
  now: number,
): Cell[] => [
  dateTime(startedAt),
  stream,
  from?.version ?? '-',
  to.version,
  { text: (outcome ?? 'running').replace('_', ' '), look: lookOf(outcome) },
  span((endedAt ?? now) - startedAt),
  { text: count(requestsLost), look: requestsLost > 0 ? 'bad' : 'plain' },
  actor,
  commitText(about),
  { text: id, look: 'quiet' },
  { text: reason, look: 'quiet' },
]

function lookOf(outcome: RolloutSummary['outcome']): Look {
  if (outcome === null) return 'accent'
  return outcome === 'promoted' ? 'good' : outcome === 'superseded' ? 'attention' : 'bad'
}
