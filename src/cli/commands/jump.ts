import * as z from 'zod'
import { reasonInput, runAction } from '../action.ts'
import { defineCommand, WeightArgument } from '../command.ts'

export const command = defineCommand({
  description:
    'Goes to the step of the plan with this share of traffic. Ahead, the steps between are skipped; back, the candidate keeps running with less traffic, and everything from that step on begins anew. Readiness, checks and the watch are never skipped.',
  arguments: [{ name: 'share', summary: 'share of a step of the plan, like 25%', required: true }],
  options: [{ flags: '--reason <text>', summary: 'why, for the journal' }],
  examples: ['sluice jump 50%', 'sluice jump 5% --reason "something looks odd, fewer users until we know"'],
  input: z.object({ share: WeightArgument, reason: z.string().exactOptional() }),
  run: (session, { share, reason }) =>
    runAction(session, 'jump', { weightPermille: share, ...reasonInput(reason) }),
})
