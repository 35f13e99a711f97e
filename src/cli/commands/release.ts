import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { problem } from '../../core/shared/problem.ts'
import { reasonInput, runAction } from '../action.ts'
import { ReleasesAnswer } from '../answers.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../controller/connect.ts'
import { shortDigest } from '../frame/headline.ts'
import { addressOf, type Session } from '../session.ts'
import { commitText, notesText } from '../source/about-text.ts'
import { type Cell, table } from '../text/table.ts'
import { dateTime } from '../text/time.ts'

const ACTIONS = ['list', 'discard', 'block', 'unblock'] as const

export const command = defineCommand({
  description:
    'Releases of the service: immutable, each with the exact bytes and settings it ran with. `list` shows them and whether `sluice rollback --to` can use them; `discard` stops the instances of a candidate that is held for inspection; `block` keeps a release out of every environment of the service, as a failure does by itself, and `unblock` lifts that.',
  arguments: [
    { name: 'action', summary: 'what to do', required: true, choices: [...ACTIONS] },
    {
      name: 'version',
      summary: 'version or release; with discard only when several are held',
      required: false,
    },
  ],
  options: [{ flags: '--reason <text>', summary: 'why, for the journal; block and unblock need it' }],
  examples: [
    'sluice release list',
    'sluice release discard 1.4.0 --reason "seen enough"',
    'sluice release unblock 1.4.0 --reason "the database was down, not the release"',
  ],
  input: z.object({
    action: z.enum(ACTIONS),
    version: z.string().exactOptional(),
    reason: z.string().exactOptional(),
  }),
  run: (session, { action, version, reason }) => {
    switch (action) {
      case 'list':
        return list(session)
      case 'discard':
        return runAction(session, 'discard_release', {
          ...(version === undefined ? {} : { release: version }),
          ...reasonInput(reason),
        })
      case 'block':
      case 'unblock':
        return blockOrUnblock(session, { action, version, reason })
    }
  },
})

type BlockInput = { action: 'block' | 'unblock'; version: string | undefined; reason: string | undefined }

async function blockOrUnblock(session: Session, { action, version, reason }: BlockInput): Promise<number> {
  if (version === undefined || reason === undefined)
    return session.fail(
      problem('USAGE', {
        message: `release ${action} needs a version and a reason.`,
        remedy: `Write \`sluice release ${action} 1.4.0 --reason TEXT\`.`,
      }),
    )
  const input = { release: version, reason }
  return action === 'block'
    ? runAction(session, 'block_release', input)
    : runAction(session, 'unblock_release', input)
}

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
  { title: 'commit' },
  { title: 'notes' },
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
  blocked,
  about,
}: Release): Cell[] => [
  version,
  id,
  blocked === null
    ? { text: state, look: state === 'stable' ? 'good' : 'plain' }
    : { text: `${state}, blocked ${blocked}`, look: 'bad' },
  digest === null ? '-' : shortDigest(digest),
  dateTime(createdAt),
  createdBy,
  rollbackReady ? { text: 'ready', look: 'good' } : { text: whyNot ?? 'no', look: 'quiet' },
  commitText(about),
  notesText(about),
]
