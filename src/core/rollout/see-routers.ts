import type { Problem } from '../shared/problem.ts'
import type { RouterName } from '../shared/router-ability.ts'
import type { CutRequest, RouterState } from '../shared/router-state.ts'
import type { Observed, SeenRouter } from './command.ts'
import { hasOutlasted, isWorking } from './drains.ts'
import type { Event } from './event.ts'
import { servingRouters } from './router-in.ts'
import { type RouterLook, seeRoutes } from './see-routes.ts'
import type { ServiceState } from './state.ts'
import { healed, troubled } from './trouble-events.ts'

const ROUTER_PART = 'router'

/** Trouble with reading a router is kept under this; that of the others of several has their names. */
export const isRouterPart = (part: string): boolean =>
  part === ROUTER_PART || part.startsWith(`${ROUTER_PART} `)

/** One of those that serve does not answer. */
export const isRouterAway = (troubles: ServiceState['troubles']): boolean =>
  Object.keys(troubles).some(isRouterPart)

/** The looks at the routers that serve now, the first one first. */
export const routerLooks = (
  { traffic }: Pick<ServiceState, 'traffic'>,
  { router, also = [] }: Pick<Observed, 'router' | 'also'>,
): { router: RouterName; seen: SeenRouter }[] => [
  { router: traffic.router, seen: router },
  ...also.filter((one) => traffic.also.includes(one.router)),
]

/** What the routers that serve show. Of one that does not answer, what it said last holds. */
export function seeRouters(state: ServiceState, observed: Observed, now: number): Event[] {
  const looks = routerLooks(state, observed)
  const seen = looks.flatMap(({ router, seen }): RouterLook[] =>
    seen.kind === 'seen' ? [{ router, seen: seen.state }] : [],
  )
  const answers = seeAnswers(state, looks, now)
  if (seen.length === 0) return answers
  const [first] = seen
  const preview = first?.router === state.traffic.router ? first.seen.preview : undefined
  const certificates = seen.map((one) => one.seen.certificate?.problem ?? null)
  return [
    ...answers,
    ...said(state, 'preview', preview?.problem ?? null, now),
    ...said(state, 'certificate', certificates.find((problem) => problem !== null) ?? null, now),
    ...seeBusy(state, seen, now),
    ...seeRoutes(state, seen, now),
  ]
}

function seeAnswers(state: ServiceState, looks: ReturnType<typeof routerLooks>, now: number): Event[] {
  const partOf = (router: RouterName): string =>
    router === state.traffic.router ? ROUTER_PART : `${ROUTER_PART} ${router}`
  const asked = looks.map(({ router }) => partOf(router))
  const old = Object.keys(state.troubles).filter((part) => isRouterPart(part) && !asked.includes(part))
  return [
    ...looks.flatMap(({ router, seen }) =>
      seen.kind === 'failed'
        ? troubled(state, partOf(router), seen.problem, now)
        : healed(state, partOf(router), now),
    ),
    ...old.flatMap((part) => healed(state, part, now)),
  ]
}

/** A preview that does not open, a certificate that ends soon: they are told, and hold nothing up. */
const said = (state: ServiceState, part: string, problem: Problem | null, now: number): Event[] =>
  problem === null ? healed(state, part, now) : troubled(state, part, problem, now)

/**
 * Looked at in every set, not only once it is retiring, and whatever share was decided for it: an instance may have left
 * the routes long before its set is let go, and what it still works on must be known by then. Work on any router is work.
 */
function seeBusy(state: ServiceState, looks: readonly RouterLook[], now: number): Event[] {
  const drains = looks.flatMap(({ seen }) => drainsIn(state, seen))
  const isWhole = looks.length === servingRouters(state.traffic).length
  const working = drains.filter((one) => isWorking(one) && !hasOutlasted(one, state)).map(({ id }) => id)
  const busy = [...new Set([...working, ...(isWhole ? [] : state.busy)])].sort()
  if (JSON.stringify(busy) === JSON.stringify(state.busy)) return []
  const cut: CutRequest[] = drains.flatMap(({ drain }) => drain?.cut ?? [])
  return [{ kind: 'busy-observed', at: now, instances: busy, cut }]
}

const drainsIn = ({ sets }: ServiceState, { instances }: RouterState): RouterState['instances'] =>
  instances.filter(({ id, drain }) =>
    sets.some(
      ({ role, instances }) =>
        (role === 'retiring' || drain !== null) && instances.some((instance) => instance.id === id),
    ),
  )
