import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { reasonInput } from '../action.ts'
import { DeployAnswer } from '../answers.ts'
import { DurationArgument, defineCommand } from '../command.ts'
import { connectStarting } from '../controller/connect.ts'
import { addressOf } from '../session.ts'
import { watchStarted } from '../watch/watch-started.ts'

export const command = defineCommand({
  description:
    'During a rollout: all traffic back to stable. Otherwise: back to the version before, or to the one named with --to, with the same bytes and settings it ran with.',
  arguments: [],
  options: [
    {
      flags: '--to <version>',
      summary: 'version or release to go back to; `sluice release list` shows which are ready',
    },
    { flags: '--force', summary: 'go back to a release that is blocked all the same; needs --reason' },
    { flags: '--no-watch', summary: 'begin and return at once' },
    { flags: '--reason <text>', summary: 'why, for the journal' },
    { flags: '--timeout <time>', summary: 'stop following after this (exit code 12; it goes on)' },
  ],
  examples: ['sluice rollback --reason "checkout is slow"', 'sluice rollback --to 1.2.0'],
  input: z.object({
    to: z.string().exactOptional(),
    force: z.boolean().default(false),
    watch: z.boolean().default(true),
    reason: z.string().exactOptional(),
    timeout: DurationArgument.exactOptional(),
  }),
  async run(session, { to, force, watch, reason, timeout }) {
    const connection = await connectStarting(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const order = {
      ...addressOf(session),
      ...(to === undefined ? {} : { to }),
      ...(force ? { force } : {}),
      ...reasonInput(reason),
    }
    const answer = await connection.value.client.call('rollback', order, DeployAnswer, randomUUID())
    if (answer.kind === 'failed') return session.fail(answer.problem)
    return watchStarted(session, connection.value, {
      started: answer.value,
      watch,
      timeoutMs: timeout ?? null,
    })
  },
})
