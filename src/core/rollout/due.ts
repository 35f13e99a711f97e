import type { RouterName } from '../shared/router-ability.ts'
import type { RouteSet } from '../shared/routes.ts'
import type { SideRoutes } from '../shared/side-routes.ts'
import type { FencingToken } from '../shared/token.ts'
import { isAsWanted } from './batches/members.ts'
import { isBackWanted } from './light-watch/light-watch-back.ts'
import { routersToLeave, routersToTell, toldTo } from './router-in.ts'
import type { Adoption, ServiceState } from './state.ts'
import { type ChecksDue, checksDue } from './verifying.ts'

/**
 * What must be done to make the world as decided. Absolute and repeatable; `key` names the effect, so that one is
 * never under way twice. A stale effect is refused by its token where it acts.
 */
export type Change =
  /** `without`: instances that were let go by name; they stop, and so many others run. */
  | {
      kind: 'start-set'
      key: string
      token: FencingToken
      release: string
      replicas: number
      without: readonly string[]
    }
  | {
      kind: 'adopt-set'
      key: string
      token: FencingToken
      release: string
      version: string
      adoption: Adoption
    }
  | { kind: 'stop-set'; key: string; token: FencingToken; release: string }
  | { kind: 'release-set'; key: string; token: FencingToken; release: string }
  | {
      kind: 'set-routes'
      key: string
      token: FencingToken
      routes: RouteSet[]
      side: SideRoutes
      router: RouterName
      stable: string | null
    }
  | { kind: 'finalize'; key: string; token: FencingToken; router: RouterName }
  /** The light watch found something, and the file says to go back by itself: a rollback is planned and ordered. */
  | { kind: 'go-back'; key: string; token: FencingToken }

/** The checks of the present step are made; their report is the answer. */
export type Verification = { kind: 'verify'; key: string; token: FencingToken } & ChecksDue

export type Effect = Change | Verification

/**
 * Effects due now. Pure: the same state asks for the same effects, so a restart continues where the last one stopped.
 * A part that the owner has not looked at since it took over is left alone: what it shows may change what is wanted.
 */
export function due(state: ServiceState): Effect[] {
  return [
    ...(state.unseen.includes('router') ? [] : routeEffects(state)),
    ...(state.unseen.includes('target') ? [] : state.sets.flatMap((set) => setEffects(state, set))),
    ...(isBackWanted(state) ? [goBack(state)] : []),
    ...verification(state),
  ]
}

const tokenOf = (state: ServiceState, sequence: number): FencingToken => {
  const busy = state.rollout !== null && state.rollout.phase.kind !== 'ended'
  return { epoch: state.epoch, sequence, rollout: busy ? (state.rollout?.id ?? null) : null }
}

const goBack = (state: ServiceState): Effect => ({
  kind: 'go-back',
  key: `go-back ${state.lightWatch?.rollout ?? ''}`,
  token: tokenOf(state, state.sequence),
})

function verification(state: ServiceState): Effect[] {
  const asked = checksDue(state)
  if (asked === null || state.unseen.length > 0) return []
  const key = `verify ${asked.rollout} ${asked.index}`
  return [{ kind: 'verify', key, token: tokenOf(state, state.sequence), ...asked }]
}

function routeEffects(state: ServiceState): Effect[] {
  const { traffic } = state
  if (state.finalizing) return finalizing(state, traffic.left.length > 0 ? traffic.left : [traffic.router])
  const inForce = traffic.confirmed?.sequence === traffic.sequence && traffic.confirmed.epoch === state.epoch
  if (inForce) return finalizing(state, routersToLeave(state))
  if (traffic.sequence === 0) return []
  return routersToTell(state).map((router) => setRoutes(state, router))
}

/** Each of several routers is told by an effect of its own: one that is away holds up no other. */
function setRoutes(state: ServiceState, router: RouterName): Effect {
  const { traffic, epoch } = state
  const isFirst = router === traffic.router
  const sequence = toldTo(traffic, router)
  return {
    kind: 'set-routes',
    key: `set-routes ${epoch}.${sequence}${isFirst ? '' : ` ${router}`}`,
    token: tokenOf(state, sequence),
    routes: traffic.routes,
    // A preview has one address, and the first router shows it.
    side: isFirst ? traffic.side : { ...traffic.side, preview: null },
    router,
    stable: state.stable?.release ?? null,
  }
}

const finalizing = (state: ServiceState, routers: readonly RouterName[]): Effect[] =>
  routers.map((router) => ({
    kind: 'finalize',
    key: `finalize ${router}`,
    token: tokenOf(state, state.sequence),
    router,
  }))

function setEffects(state: ServiceState, set: ServiceState['sets'][number]): Effect[] {
  // Calls about sets carry the newest sequence: the target compares them with everything it was ever told.
  const token = tokenOf(state, state.sequence)
  const { release, version, adoption, dismissed } = set
  switch (set.stage) {
    case 'stopping':
      return [{ kind: 'stop-set', key: `stop-set ${release}`, token, release }]
    case 'releasing':
      return [{ kind: 'release-set', key: `release-set ${release}`, token, release }]
    case 'wanted': {
      // What is on its way out is not started again.
      if (set.role === 'held' || set.role === 'retiring') return []
      const isAsserted = set.assertedEpoch === state.epoch
      if (state.troubles.target !== undefined) return []
      if (isAsserted && isAsWanted(set)) return []
      if (adoption !== null)
        return [{ kind: 'adopt-set', key: `adopt-set ${release}`, token, release, version, adoption }]
      const replicas = set.replicas + set.leaving.length
      return [
        { kind: 'start-set', key: `start-set ${release}`, token, release, replicas, without: dismissed },
      ]
    }
  }
}
