import type { Problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'

/** Tells somebody outside. At-least-once: `key` is the same on every attempt, so that the receiver can drop repeats. */
export interface Notifier {
  readonly kind: string
  /** Always answers within a deadline of its own. A failure that is not retryable ends the attempts for this message. */
  send(message: NotificationMessage, key: string): Promise<Result<void, NotifyFailure>>
}

/** `retryAfterMs`: the receiver asked not to be tried again before that many milliseconds. */
export type NotifyFailure = Problem & { retryAfterMs?: number }

/** `type` as in the lifecycle table of the docs, for example `rollout.rolled_back`. Contains no secret. */
export type NotificationMessage = {
  type: string
  /** RFC 3339, UTC. */
  timestamp: string
  severity: 'info' | 'warning' | 'error' | 'critical'
  /** One sentence for people. */
  summary: string
  data: Record<string, unknown>
}
