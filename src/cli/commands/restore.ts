import path from 'node:path'
import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Restored } from '../../operations/backup/restore.ts'
import { defineCommand } from '../command.ts'
import { findProject, type Project } from '../controller/project.ts'
import { livingParts, readRuntime } from '../controller/runtime-file.ts'
import { type Line, quiet, span, strong } from '../text/line.ts'
import { plural } from '../text/number.ts'
import { dateTime } from '../text/time.ts'

export const command = defineCommand({
  description:
    'Puts the state of a backup in force, all of it or nothing, after reading the whole file. The controller must be stopped; traffic flows on. The next controller looks at what runs, then goes on with rollouts or rolls them back.',
  arguments: [{ name: 'file', summary: 'a file that `sluice backup` wrote', required: true }],
  options: [{ flags: '--replace', summary: 'also when there is a state already; it is kept aside' }],
  examples: [
    'sluice restore .sluice/backups/daily-20261121T030000Z.sluice',
    'sluice restore shop.sluice --replace',
  ],
  input: z.object({ file: z.string().min(1), replace: z.boolean().default(false) }),
  async run(session, { file, replace }) {
    const project = findProject(session)
    if (project.kind === 'failed') return session.fail(project.problem)
    const free = withoutController(project.value)
    if (free.kind === 'failed') return session.fail(free.problem)
    const keeper = await session.io.keeper(project.value.state)
    const restored = await keeper.restore({ file: path.resolve(session.io.cwd, file), overwrite: replace })
    if (restored.kind === 'failed') return session.fail(restored.problem)
    const { header, counts, keptAs, wasDamaged, missing, into } = restored.value
    session.value('restore', {
      file: restored.value.file,
      writtenAt: header.writtenAt,
      into,
      services: counts.stream,
      events: counts.event,
      documents: counts.document,
      messages: counts.message,
      keptAs,
      wasDamaged,
      missing,
    })
    session.say(restoredLines(restored.value))
    return EXIT_CODE.promoted
  },
})

/** The lock of the store decides; this says it in better words, and sees a controller that uses another store, too. */
function withoutController({ state }: Project): Result<void> {
  const controller = livingParts(readRuntime(state)).find(({ name }) => name === 'controller')
  if (controller === undefined) return ok(undefined)
  return failed(
    problem('STORE_LOCKED', {
      message: `The controller of this folder runs (process ${controller.pid}).`,
      remedy: 'Stop it first: sluice down --controller-only. Traffic flows on. Then run this command again.',
    }),
  )
}

const restoredLines = ({
  header,
  counts,
  keptAs,
  wasDamaged,
  missing,
  into,
}: Restored & { into: string }): Line[] => [
  [
    span('✓ ', 'good'),
    strong(`The state of ${dateTime(Date.parse(header.writtenAt))} UTC is in force.`),
    quiet(`  in ${into}`),
  ],
  [span(`  ${plural(counts.stream, 'service')}, ${plural(counts.event, 'event')}`)],
  ...(keptAs === null
    ? []
    : [[span(`  The ${wasDamaged ? 'damaged ' : ''}state that was there is kept in ${keptAs}`)]]),
  ...missing.map(
    ({ version, folder }): Line => [
      span('  ! ', 'attention'),
      span(
        `${version} cannot be started: its copy ${folder} is gone. Bring it back, or deploy the version again.`,
      ),
    ],
  ),
  [quiet('  Go on with `sluice up`: the controller looks at what runs before it does anything.')],
]
