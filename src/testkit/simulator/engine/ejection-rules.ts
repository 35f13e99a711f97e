import type { Event } from '../../../core/rollout/event.ts'
import type { Reason } from '../../../core/rollout/reason.ts'
import { readyInstances } from '../../../core/rollout/routing.ts'
import type { ServiceState } from '../../../core/rollout/state.ts'
import type { Book } from './book.ts'
import type { JournalRule } from './journal-rules.ts'

/** What an ejection may and may not do (ADR 0023). */
export const EJECTION_RULES: readonly JournalRule[] = [
  ({ book, event }) => blamedAlone(book, event),
  ({ event, after }) => staysInTheRoutes(event, after),
]

/** What stable suffers, too, and what happened once, is no evidence against a version. */
function blamedAlone({ truth }: Book, event: Event): string | null {
  if (event.kind !== 'return-started' && event.kind !== 'failure-held' && event.kind !== 'rollout-paused')
    return null
  const wrong = leftOutIn(event.reason).find((id) => !truth.wasEjectedAlone(id))
  return wrong === undefined
    ? null
    : `${event.kind} because ${wrong} was left out, and it was not alone with that, or only once`
}

function leftOutIn({ code, evidence }: Reason): string[] {
  if (code === 'INSTANCES_EJECTED' && Array.isArray(evidence.ejected))
    return evidence.ejected.map(({ id }) => String(id))
  if (code === 'INSTANCES_FAILING' && Array.isArray(evidence.failing))
    return evidence.failing.flatMap((text) => {
      const [id = '', ...how] = String(text).split(' ')
      return how.join(' ') === 'left out' ? [id] : []
    })
  return []
}

/** Only the data plane leaves it out and brings it back: in the routes it is as it is ready, and so nobody is alone in them. */
function staysInTheRoutes(event: Event, { sets }: ServiceState): string | null {
  if (event.kind !== 'routes-decided') return null
  const missing = event.routes.flatMap(({ release, weightPermille, instances }) => {
    const set = sets.find((one) => one.release === release)
    if (weightPermille === 0) return []
    const out = readyInstances(set).filter(({ ejected }) => ejected !== undefined)
    return out.filter(({ id }) => !instances.some((one) => one.id === id && one.state === 'active'))
  })
  const [first] = missing
  return first === undefined
    ? null
    : `INV2: ${first.id} is ready, left out for a while, and not in the routes`
}
