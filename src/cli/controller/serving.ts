import type { ServiceView } from '../../core/rollout/view/view.ts'
import { ServicesAnswer } from '../answers.ts'
import type { Client } from '../client.ts'
import type { Session } from '../session.ts'

/** What was stable before everything stopped needs this long to start from its artifact; after that the status tells. */
const SERVING_TIMEOUT_MS = 20_000
const POLL_MS = 100

/** Waits until every service with a stable release takes traffic again; answers with the services as they are then. */
export async function waitUntilServing(session: Session, client: Client): Promise<ServiceView[]> {
  const deadline = session.io.now() + SERVING_TIMEOUT_MS
  let told = false
  for (;;) {
    const answer = await client.call('list_services', {}, ServicesAnswer)
    const services = answer.kind === 'ok' ? answer.value.services : []
    const waiting = services.filter(({ stable }) => stable !== null).filter((service) => !isServing(service))
    if (waiting.length === 0 || session.io.now() >= deadline) return services
    if (!told) session.note(`Waiting for ${waiting.map(nameOf).join(', ')} ...`)
    told = true
    await session.io.sleep(POLL_MS)
  }
}

export const nameOf = ({ service, stable }: ServiceView): string =>
  `${service} ${stable?.version ?? ''}`.trim()

/** Some set with a confirmed share of the traffic has a ready instance. */
export const isServing = ({ sets }: ServiceView): boolean =>
  sets.some(({ ready, observedWeightPermille }) => ready > 0 && (observedWeightPermille ?? 0) > 0)
