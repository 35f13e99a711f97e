import type { Event } from '../../../core/rollout/event.ts'
import type { ServiceState } from '../../../core/rollout/state.ts'
import type { RouterName } from '../../../core/shared/router-ability.ts'
import type { RouteSet } from '../../../core/shared/routes.ts'
import type { SideRoutes } from '../../../core/shared/side-routes.ts'
import type { InvariantMemory } from '../invariants.ts'

/** What is known about a rollout beyond the state of the engine: what people did, and what the candidate is like. */
export type RolloutFacts = { isBad: boolean; wasAborted: boolean }

/** All that was ever written for one stream, as the store itself accepted it, below every fault. */
export type Book = {
  stream: string
  state: ServiceState
  revision: number
  /** Highest epoch that the store gave away. */
  epoch: number
  events: { event: Event; at: number }[]
  memory: InvariantMemory
  /** Routes by the sequence under which they were decided: for the first router, which is named, and for those besides. */
  routes: Map<number, { router: RouterName; first: string; besides: string }>
  /** Router and `epoch.sequence weights` of every answer that one gave. */
  routerAnswers: Set<string>
  /** When numbers were last handed out, by router. */
  measuredAt: Map<RouterName, number>
  heldUntil: Map<string, number>
  facts: Map<string, RolloutFacts>
  /** How long the present step, or the wait for its instances, has lasted without the time in which it was held. */
  deadline: { ms: number; at: number | null }
  /** Ids of rollouts in the order in which the journal first named them. */
  accepted: string[]
  truth: Truth
}

/** By which routes that were decided are known again where they take effect. */
export const routesKey = (
  sets: readonly RouteSet[],
  { preview, rules, sticky, mirror }: SideRoutes,
): string => JSON.stringify([sets, preview, rules, sticky, mirror])

/** What the world knows and the engine can only find out. */
export type Truth = {
  isBad(release: string): boolean
  /** The numbers were never made up in this run. */
  numbersAreTrue: boolean
  /** There were always numbers. */
  numbersAreComplete: boolean
  isCalm: boolean
  /** Nobody set a clock. */
  clocksAreRight: boolean
  /** Whoever counts the requests never began anew, and never told what is not so. */
  countersAreWhole: boolean
  /** A provider was made to say something else than the truth about this metric, ever. */
  hasLied(metric: string): boolean
  /** The version does what declared metrics count as harm. */
  isHarmful(release: string): boolean
  /** Somebody was told that it fails users again and again, and nothing of stable beside it. */
  wasEjectedAlone(instance: string): boolean
  /** Requests that the release truly answered. */
  served(release: string): number
  /** Users who truly reached the goal of a test. */
  reached(salt: string, variant: string | null): number
  /** Requests that were truly copied for a rollout. */
  copied(salt: string): number
}
