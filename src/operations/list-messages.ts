import * as z from 'zod'
import { ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'

export const listMessages = operationOf({
  name: 'list_messages',
  summary: 'Notifications with their state: delivered, pending, or given up.',
  input: z.strictObject({ limit: z.int().min(1).max(500).default(50) }),
  output: z.object({
    messages: z.array(
      z.object({
        channel: z.string(),
        key: z.string(),
        state: z.string(),
        attempts: z.int(),
        lastError: z.string().nullable(),
        type: z.string(),
        at: z.string(),
      }),
    ),
  }),
  permission: 'read',
  run: async (context, { limit }) => {
    const messages = await context.store.listMessages(limit)
    if (messages.kind === 'failed') return messages
    return ok({
      messages: messages.value.map(({ channel, key, state, attempts, lastError, message }) => ({
        channel,
        key,
        state,
        attempts,
        lastError,
        type: message.type,
        at: message.timestamp,
      })),
    })
  },
})
