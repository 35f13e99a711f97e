import path from 'node:path'
import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { defineCommand } from '../command.ts'
import { findProject } from '../controller/project.ts'
import { quiet, span, strong } from '../text/line.ts'
import { bytes, plural } from '../text/number.ts'

export const command = defineCommand({
  description:
    'Copies the whole state (services, journal, releases, rollouts, messages) of one moment into a file, also while the controller works. The copies of the artifacts, secrets, tokens and logs are not in it.',
  arguments: [{ name: 'file', summary: 'new file (default: a name in .sluice/backups)', required: false }],
  options: [],
  examples: ['sluice backup', 'sluice backup /mnt/backups/shop.sluice'],
  input: z.object({ file: z.string().min(1).exactOptional() }),
  async run(session, { file }) {
    const project = findProject(session)
    if (project.kind === 'failed') return session.fail(project.problem)
    const keeper = await session.io.keeper(project.value.state)
    const written = await keeper.backUp(file === undefined ? null : path.resolve(session.io.cwd, file))
    if (written.kind === 'failed') return session.fail(written.problem)
    const { counts, from, writtenAt } = written.value
    session.value('backup', {
      file: written.value.file,
      bytes: written.value.bytes,
      from,
      writtenAt,
      services: counts.stream,
      events: counts.event,
      documents: counts.document,
      messages: counts.message,
    })
    session.say([
      [span('✓ ', 'good'), strong(written.value.file)],
      [
        span(
          `  ${plural(counts.stream, 'service')}, ${plural(counts.event, 'event')}, ${plural(counts.document, 'document')}, ${plural(counts.message, 'message')}, ${bytes(written.value.bytes)}`,
        ),
      ],
      [quiet(`  from ${from}. Artifacts, secrets and logs are not in it.`)],
    ])
    return EXIT_CODE.promoted
  },
})
