import * as z from 'zod'

/** Who did it: a person, the engine by itself, or the data plane. */
export const Actor = z.object({ kind: z.enum(['person', 'engine', 'data-plane']), name: z.string() })
export type Actor = z.infer<typeof Actor>

export const ENGINE: Actor = { kind: 'engine', name: 'sluice' }

/** Why a state was entered. `code` is stable; `message` is one sentence with the values. */
export const Reason = z.object({
  code: z.string(),
  message: z.string(),
  evidence: z.record(z.string(), z.unknown()),
  actor: Actor,
})
export type Reason = z.infer<typeof Reason>

/** What has to happen before the rollout goes on. `until` is a time in ms since the epoch, when there is one. */
export const WaitingOn = z.object({
  kind: z.enum([
    'time',
    'person',
    'instances',
    'router',
    'criteria',
    'data',
    'drain',
    'target',
    'watch',
    'checks',
    'schedule',
    'window',
    'freeze',
    'rollout',
  ]),
  who: z.string(),
  until: z.number().nullable(),
  message: z.string(),
})
export type WaitingOn = z.infer<typeof WaitingOn>
