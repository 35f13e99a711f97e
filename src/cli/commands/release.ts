import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { reasonInput, runAction } from '../action.ts'
import { ReleasesAnswer } from '../answers.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../controller/connect.ts'
import { shortDigest } from '../frame/headline.ts'
import { addressOf, type Session } from '../session.ts'
import { type Cell, table } from '../text/table.ts'
import { dateTime } from '../text/time.ts'

export const command = defineCommand({
  description:
    'Releases of the service: immutable, each with the exact bytes and settings it ran with. `list` shows them and whether `sluice rollback --to` can use them; `discard` stops the instances of a candidate that is held for inspection.',
  arguments: [
    { name: 'action', summary: 'what to do', required: true, choices: ['list', 'discard'] },
    {
      name: 'version',
      summary: 'with discard: version or release that is held, when there are several',
      required: false,
    },
  ],
  options: [{ flags: '--reason <text>', summary: 'with discard: why, for the journal' }],
  examples: ['sluice release list', 'sluice release discard 1.4.0 --reason "seen enough"'],
  input: z.object({
    action: z.enum(['list', 'discard']),
    version: z.string().exactOptional(),
    reason: z.string().exactOptional(),
  }),
  run: (session, { action, version, reason }) =>
    action === 'list'
      ? list(session)
      : runAction(session, 'discard_release', {
          ...(version === undefined ? {} : { release: version }),
          ...reasonInput(reason),
        }),
})

async function list(session: Session): Promise<number> {
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
}

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
