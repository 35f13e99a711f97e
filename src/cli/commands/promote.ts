import * as z from 'zod'
import { reasonInput, runAction } from '../action.ts'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  description:
    'Goes on to the next step without waiting for its time. With --full all traffic goes to the candidate at once; it never ends the watch.',
  arguments: [],
  options: [
    { flags: '--full', summary: 'send all traffic to the candidate now' },
    { flags: '--reason <text>', summary: 'why, for the journal' },
  ],
  examples: ['sluice promote', 'sluice promote --full --reason "hotfix, checked by hand"'],
  input: z.object({ full: z.boolean().default(false), reason: z.string().exactOptional() }),
  run: (session, { full, reason }) =>
    runAction(session, 'promote', { ...(full ? { full } : {}), ...reasonInput(reason) }),
})
