import * as z from 'zod'
import { planChart } from '../../core/plan/picture/plan-chart.ts'
import { Plan } from '../../core/plan/plan.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { defineCommand } from '../command.ts'
import { connectStarting } from '../controller/connect.ts'
import { DRAWING_WIDTH, writeDrawing } from '../drawing-file.ts'
import { planLines } from '../plan-text.ts'
import { addressOf, columnsOf, commandLine } from '../session.ts'

export const command = defineCommand({
  description:
    'Shows every step with its time and its way back, the changed settings, the peak of instances, the risk, and the strategy that would fit. Changes nothing. Exit code: 0 nothing to do, 3 there are changes, 13 it cannot be done.',
  arguments: [{ name: 'version', summary: 'version to plan for', required: true }],
  options: [
    { flags: '--rollback', summary: 'plan the way back to it: it was stable here before' },
    { flags: '--retry', summary: 'plan another attempt of a release that failed and is blocked' },
    { flags: '--svg <file>', summary: 'also draw the plan: share, instances and ways back over its time' },
    { flags: '--full', summary: 'plan for straight to 100%, without stages and their checks' },
  ],
  examples: [
    'sluice plan 1.4.0',
    'sluice plan 1.3.0 --rollback',
    'sluice plan 1.4.0 --svg plan.svg',
    'sluice plan 1.4.0 --env production --json',
  ],
  input: z.object({
    version: z.string(),
    rollback: z.boolean().default(false),
    retry: z.boolean().default(false),
    full: z.boolean().default(false),
    svg: z.string().exactOptional(),
  }),
  async run(session, { version, rollback, retry, full, svg }) {
    const connection = await connectStarting(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const asked = { ...addressOf(session), version, rollback, retry, full }
    const plan = await connection.value.client.call('plan', asked, Plan)
    if (plan.kind === 'failed') return session.fail(plan.problem)
    if (svg !== undefined && plan.value.kind !== 'none') {
      const drawing = planChart(plan.value, { width: DRAWING_WIDTH, isAlone: true })
      const unwritten = writeDrawing(session, { file: svg, what: 'the plan', drawing })
      if (unwritten !== null) return session.fail(unwritten)
    }
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
