import type { Event } from '../../../core/rollout/event.ts'
import type { ServiceState } from '../../../core/rollout/state.ts'
import type { Book } from './book.ts'
import type { JournalRule } from './journal-rules.ts'

/** What copies of requests promise. */
export const SHADOW_RULES: readonly JournalRule[] = [
  ({ book, event, after }) => copiesAreReal(book, event, after),
  ({ event, after }) => usersAreApart(event, after),
]

/** No copy is counted twice, whoever counts and however often it begins anew; and none is taken for a request of a user. */
function copiesAreReal({ truth }: Book, event: Event, { rollout }: ServiceState): string | null {
  if (event.kind !== 'metrics-observed' || rollout === null || !truth.countersAreWhole) return null
  const counted = rollout.shadow?.candidate.requests ?? 0
  const copied = truth.copied(rollout.id)
  return counted <= copied ? null : `${counted} copies are counted, ${copied} were made`
}

/** Where copies go no user goes, unless nobody else could answer (S40). */
function usersAreApart(event: Event, { stable }: ServiceState): string | null {
  if (event.kind !== 'routes-decided' || event.side.mirror === null) return null
  const { release } = event.side.mirror
  const weight = event.routes.find((set) => set.release === release)?.weightPermille ?? 0
  const active = event.routes.find((set) => set.release === stable?.release)?.instances ?? []
  const canAnswer = active.some(({ state }) => state === 'active')
  return weight > 0 && canAnswer ? `users reach ${release} while requests are copied to it` : null
}
