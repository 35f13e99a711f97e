import { type Problem, problem } from '../core/shared/problem.ts'

/** What every store answers, in the same words, when it refuses by the rules of its port. */

/** `newest` is `null` for a stream that was never written. */
export function fenced(stream: string, epochs: { mine: number | null; newest: number | null }): Problem {
  const found = epochs.newest === null ? 'has none yet' : `is at epoch ${epochs.newest}`
  const refused = epochs.mine === null ? 'The change' : `A write with epoch ${epochs.mine}`
  return problem('STORE_FENCED', {
    message: `The lease of ${stream} ${found} and is not held under that epoch by this controller. ${refused} was refused.`,
    remedy: 'Claim the stream again and decide again.',
  })
}

export function conflict(stream: string, revisions: { expected: number; found: number }): Problem {
  return problem('STORE_CONFLICT', {
    message: `Stream ${stream} is at revision ${revisions.found}, but the decision was based on revision ${revisions.expected}.`,
    remedy: 'Load the stream again and decide again.',
    retryable: true,
  })
}

export function unknownMessage(channel: string, key: string): Problem {
  return problem('STORE_UNKNOWN_MESSAGE', {
    message: `The outbox has no message ${key} for channel ${channel}.`,
    remedy: 'List the outbox for the messages there are: sluice outbox.',
  })
}
