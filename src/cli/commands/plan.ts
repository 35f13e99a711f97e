import * as z from 'zod'
import { Plan } from '../../core/plan/plan.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { defineCommand } from '../command.ts'
import { connectStarting } from '../controller/connect.ts'
import { planLines } from '../plan-text.ts'
import { addressOf, columnsOf, commandLine } from '../session.ts'

export const command = defineCommand({
  description:
    'Shows every step with its time and its way back, the changed settings and the peak of instances. Changes nothing. Exit code: 0 nothing to do, 3 there are changes, 13 it cannot be done.',
  arguments: [{ name: 'version', summary: 'version to plan for', required: true }],
  options: [
    { flags: '--rollback', summary: 'plan the way back to it: it was stable here before' },
    { flags: '--retry', summary: 'plan another attempt of a release that failed and is blocked' },
    { flags: '--full', summary: 'plan for straight to 100%, without stages and their checks' },
  ],
  examples: [
    'sluice plan 1.4.0',
    'sluice plan 1.3.0 --rollback',
    'sluice plan 1.4.0 --env production --json',
  ],
  input: z.object({
    version: z.string(),
    rollback: z.boolean().default(false),
    retry: z.boolean().default(false),
    full: z.boolean().default(false),
  }),
  async run(session, { version, rollback, retry, full }) {
    const connection = await connectStarting(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const asked = { ...addressOf(session), version, rollback, retry, full }
    const plan = await connection.value.client.call('plan', asked, Plan)
    if (plan.kind === 'failed') return session.fail(plan.problem)
    session.value('plan', { plan: plan.value })
    session.say(planLines(plan.value, { columns: columnsOf(session) }))
    if (plan.value.kind === 'none') return EXIT_CODE.promoted
    const order = rollback
      ? `rollback --to ${version}`
      : `deploy --plan ${plan.value.id}${retry ? ' --retry' : ''}`
    session.note(`Do it with \`${commandLine(order, session)}\`.`)
    return EXIT_CODE.planHasChanges
  },
})
