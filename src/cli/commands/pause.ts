import * as z from 'zod'
import { reasonInput, runAction } from '../action.ts'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  description: 'The rollout stays at its step. Checks go on: a critical verdict still rolls back.',
  arguments: [],
  options: [{ flags: '--reason <text>', summary: 'why, for the journal' }],
  examples: ['sluice pause --reason "waiting for the marketing team"'],
  input: z.object({ reason: z.string().exactOptional() }),
  run: (session, { reason }) => runAction(session, 'pause', reasonInput(reason)),
})
