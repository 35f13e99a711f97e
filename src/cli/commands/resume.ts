import * as z from 'zod'
import { reasonInput, runAction } from '../action.ts'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  description: 'The rollout goes on where it was paused.',
  arguments: [],
  options: [{ flags: '--reason <text>', summary: 'why, for the journal' }],
  examples: ['sluice resume'],
  input: z.object({ reason: z.string().exactOptional() }),
  run: (session, { reason }) => runAction(session, 'resume', reasonInput(reason)),
})
