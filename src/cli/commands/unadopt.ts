import * as z from 'zod'
import { runAction } from '../action.ts'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  description:
    'Lets an adopted process go: it keeps running unchanged, and Sluice no longer watches it or sends traffic to it.',
  arguments: [],
  options: [],
  examples: ['sluice unadopt'],
  input: z.object({}),
  run: (session) => runAction(session, 'unadopt', {}),
})
