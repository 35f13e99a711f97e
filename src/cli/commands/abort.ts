import * as z from 'zod'
import { reasonInput, runAction } from '../action.ts'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  description:
    'All traffic goes back to the stable version at once; the candidate is kept for a while for inspection, then stopped.',
  arguments: [],
  options: [{ flags: '--reason <text>', summary: 'why, for the journal' }],
  examples: ['sluice abort --reason "wrong build"'],
  input: z.object({ reason: z.string().exactOptional() }),
  run: (session, { reason }) => runAction(session, 'abort', reasonInput(reason)),
})
