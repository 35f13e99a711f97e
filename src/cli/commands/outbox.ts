import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { MessagesAnswer } from '../answers.ts'
import { defineCommand, wholeNumber } from '../command.ts'
import { connect } from '../controller/connect.ts'
import { type Cell, table } from '../text/table.ts'
import { dateTime } from '../text/time.ts'

export const command = defineCommand({
  description:
    'Notifications of this installation, newest first: delivered, waiting for another try, or given up, with the last error.',
  arguments: [],
  options: [{ flags: '-n, --limit <count>', summary: 'how many (default 20)' }],
  examples: ['sluice outbox'],
  input: z.object({ limit: wholeNumber(1, 500).default(20) }),
  async run(session, { limit }) {
    const connection = connect(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const answer = await connection.value.client.call('list_messages', { limit }, MessagesAnswer)
    if (answer.kind === 'failed') return session.fail(answer.problem)
    const { messages } = answer.value
    session.value('outbox', { messages })
    if (messages.length === 0)
      session.note('No notification was sent yet. Channels stand under `notify:` in sluice.yaml.')
    else session.say(table(COLUMNS, messages.map(row)))
    return EXIT_CODE.promoted
  },
})

const COLUMNS = [
  { title: 'at (UTC)' },
  { title: 'channel' },
  { title: 'type' },
  { title: 'state' },
  { title: 'tries', align: 'right' as const },
  { title: 'last error' },
]

type Message = z.infer<typeof MessagesAnswer>['messages'][number]

const row = ({ at, channel, type, state, attempts, lastError }: Message): Cell[] => [
  dateTime(new Date(at).getTime()),
  channel,
  type,
  { text: state, look: lastError === null ? 'plain' : 'attention' },
  String(attempts),
  { text: lastError ?? '', look: 'quiet' },
]
