import type { Result } from '../core/shared/result.ts'

/** Tells somebody outside. At-least-once: `key` is the same on every attempt, so that the receiver can drop repeats. */
export interface Notifier {
  readonly kind: string
  send(message: NotificationMessage, key: string): Promise<Result<void>>
}

/** `type` as in design/experience.md's lifecycle table, for example `rollout.rolled_back`. Contains no secret. */
export type NotificationMessage = {
  type: string
  /** RFC 3339, UTC. */
  timestamp: string
  severity: 'info' | 'warning' | 'error' | 'critical'
  /** One sentence for people. */
  summary: string
  data: Record<string, unknown>
}
