import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { FreezeAnswer } from '../answers.ts'
import { DurationArgument, defineCommand, MomentArgument } from '../command.ts'
import { connectStarting } from '../controller/connect.ts'
import { commandLine, environmentInput } from '../session.ts'
import { plural } from '../text/number.ts'
import { dateTime } from '../text/time.ts'

export const command = defineCommand({
  description:
    'Nothing new begins in the environment until `sluice unfreeze`, or until its time is over. Rollouts in progress hold their weight or return to stable, as `onFreeze` says. Rollback and abort stay possible.',
  arguments: [],
  options: [
    { flags: '--reason <text>', summary: 'why; everybody who waits sees it' },
    { flags: '--until <time>', summary: 'when it ends by itself, like 2026-12-01T09:00 (here) or ...+01:00' },
    { flags: '--for <time>', summary: 'after how much time it ends by itself, like 3h' },
  ],
  examples: ['sluice freeze --env production --reason "year end" --until 2027-01-04T08:00'],
  input: z
    .object({
      reason: z.string({ error: 'say why with --reason' }).min(1),
      until: MomentArgument.exactOptional(),
      for: DurationArgument.exactOptional(),
    })
    .refine((input) => input.until === undefined || input.for === undefined, {
      error: '--until and --for do not go together',
    }),
  async run(session, { reason, until, for: forMs }) {
    const connection = await connectStarting(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const end = until ?? (forMs === undefined ? undefined : Date.now() + forMs)
    const answer = await connection.value.client.call(
      'freeze',
      {
        ...environmentInput(session),
        reason,
        ...(end === undefined ? {} : { until: new Date(end).toISOString() }),
      },
      FreezeAnswer,
    )
    if (answer.kind === 'failed') return session.fail(answer.problem)
    const { environment, streams } = answer.value
    session.value('freeze', answer.value)
    const time = end === undefined ? 'until somebody lifts it' : `until ${dateTime(end)} UTC`
    session.note(`${environment} is frozen ${time}: ${plural(streams.length, 'service')} told.`)
    session.note(`Lift it with \`${commandLine('unfreeze', session)}\`.`)
    return EXIT_CODE.promoted
  },
})
