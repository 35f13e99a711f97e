import * as z from 'zod'
import { runAction } from '../action.ts'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  description:
    'The circuit breaker opens after several automatic rollbacks (`rollback.breaker` in sluice.yaml) and stops further deploys. `close` allows them again and counts anew. Rollback and abort are possible all the time; `sluice status` says whether it is open and why.',
  arguments: [{ name: 'action', summary: 'what to do', required: true, choices: ['close'] }],
  options: [{ flags: '--reason <text>', summary: 'what the rollbacks came from, for the journal (needed)' }],
  examples: ['sluice breaker close --reason "the database was full; it has space again"'],
  input: z.object({
    action: z.literal('close'),
    reason: z.string('breaker close needs --reason').trim().min(1, 'breaker close needs --reason'),
  }),
  run: (session, { reason }) => runAction(session, 'close_breaker', { reason }),
})
