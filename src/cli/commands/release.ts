import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { ReleasesAnswer } from '../answers.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../controller/connect.ts'
import { shortDigest } from '../frame/headline.ts'
import { addressOf } from '../session.ts'
import { type Cell, table } from '../text/table.ts'
import { dateTime } from '../text/time.ts'

export const command = defineCommand({
  description:
    'Releases of the service: immutable, each with the exact bytes and settings it ran with, and whether `sluice rollback --to` can use it.',
  arguments: [{ name: 'action', summary: 'what to do', required: true, choices: ['list'] }],
  options: [],
  examples: ['sluice release list'],
  input: z.object({ action: z.literal('list') }),
  async run(session) {
    const connection = connect(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const answer = await connection.value.client.call('list_releases', addressOf(session), ReleasesAnswer)
    if (answer.kind === 'failed') return session.fail(answer.problem)
    const { releases } = answer.value
    session.value('releases', { releases })
    if (releases.length === 0)
      session.note('There is no release yet. `sluice deploy VERSION` makes the first one.')
    else session.say(table(COLUMNS, releases.map(row)))
    return EXIT_CODE.promoted
  },
})

const COLUMNS = [
  { title: 'version' },
  { title: 'release' },
  { title: 'state' },
  { title: 'digest' },
  { title: 'made (UTC)' },
  { title: 'by' },
  { title: 'rollback' },
]

type Release = z.infer<typeof ReleasesAnswer>['releases'][number]

const row = ({
  version,
  id,
  state,
  digest,
  createdAt,
  createdBy,
  rollbackReady,
  whyNot,
}: Release): Cell[] => [
  version,
  id,
  { text: state, look: state === 'stable' ? 'good' : 'plain' },
  digest === null ? '-' : shortDigest(digest),
  dateTime(createdAt),
  createdBy,
  rollbackReady ? { text: 'ready', look: 'good' } : { text: whyNot ?? 'no', look: 'quiet' },
]
