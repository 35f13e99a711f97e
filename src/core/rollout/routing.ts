import { isWorker } from '../release/worker.ts'
import type { Instance } from '../shared/instance.ts'
import type { RouteInstance, RouteSet } from '../shared/routes.ts'
import type { WeightPermille } from '../shared/weight.ts'
import { TOTAL_PERMILLE } from '../shared/weight.ts'
import type { ServiceState, SetState } from './state.ts'

type Weights = Record<string, WeightPermille>

/**
 * The routes that the decided weights and the instances ready right now ask for. One pure function, so that every
 * rule about where traffic may go stands here: weights add up to the total, or to nothing while the service is closed; no weight on a set without a ready
 * instance while another set has one; a retiring set only finishes what it has.
 */
export function routesOf(state: ServiceState): RouteSet[] {
  if (Object.keys(state.traffic.weights).length === 0 || isWorkerService(state)) return []
  const weights = safeWeights(state)
  const routes = state.sets
    .filter((set) => set.stage === 'wanted' || (weights[set.release] ?? 0) > 0)
    .map((set) => routeSet(state, set, weights[set.release] ?? 0))
    .filter((set) => set.instances.length > 0)
  // Nobody could answer: no routes at all say so; routes whose weights do not add up would be refused.
  const total = routes.reduce((sum, { weightPermille }) => sum + weightPermille, 0)
  return total === (state.traffic.closed === null ? TOTAL_PERMILLE : 0) ? routes : []
}

/**
 * Weights with the shares of sets that cannot serve given to one that can: stable first, then the readiest, and one that
 * is on its way out before none (S93). Where nothing is ready anywhere, a share goes where at least something may answer; where not even that is, the weights stay.
 */
export function safeWeights(state: ServiceState): Weights {
  const { weights } = state.traffic
  const running = state.sets.filter((set) => set.stage === 'wanted')
  const wanted = running.filter((set) => set.role !== 'retiring')
  const able =
    [wanted, running]
      .map((sets) => sets.filter((set) => readyInstances(set).length > 0))
      .find((sets) => sets.length > 0) ?? wanted.filter((set) => lastResort(state, set).length > 0)
  const stranded = Object.entries(weights).filter(
    ([release, weight]) => weight > 0 && !able.some((set) => set.release === release),
  )
  const rescue =
    able.find((set) => set.release === state.stable?.release) ??
    [...able].sort((a, b) => readyInstances(b).length - readyInstances(a).length)[0]
  if (stranded.length === 0 || rescue === undefined) return weights
  const moved = stranded.reduce((sum, [, weight]) => sum + weight, 0)
  const emptied = Object.fromEntries(stranded.map(([release]) => [release, 0]))
  return { ...weights, ...emptied, [rescue.release]: (weights[rescue.release] ?? 0) + moved }
}

/** All traffic on one release. */
export const everythingTo = (release: string, others: readonly string[]): Weights => ({
  ...Object.fromEntries(others.map((other) => [other, 0])),
  [release]: TOTAL_PERMILLE,
})

/** Those that take new work: what is on its way out by name does not count, however well it is. */
export const readyInstances = (set: SetState | undefined): Instance[] =>
  set?.instances.filter(({ id, state }) => state === 'ready' && !isOnItsWayOut(set, id)) ?? []

export const isOnItsWayOut = ({ leaving, dismissed }: SetState, id: string): boolean =>
  leaving.includes(id) || dismissed.includes(id)

export const livingInstances = (set: SetState): Instance[] =>
  set.instances.filter(({ state }) => state !== 'gone')

function routeSet(state: ServiceState, set: SetState, weightPermille: WeightPermille): RouteSet {
  const { release, version } = set
  if (set.role === 'retiring' && weightPermille === 0)
    return {
      release,
      version,
      weightPermille,
      instances: livingInstances(set)
        .filter(isServing)
        .map((one) => route(one, 'draining')),
    }
  const active = readyInstances(set)
  // With weight and nothing ready anywhere, requests still go where they went: an unready instance may answer, nobody else will.
  if (active.length === 0 && weightPermille > 0)
    return { release, version, weightPermille, instances: lastResort(state, set) }
  const recovering = set.instances
    .filter((one) => one.state === 'unready' || (isServing(one) && isOnItsWayOut(set, one.id)))
    .map((one) => route(one, 'draining'))
  return {
    release,
    version,
    weightPermille,
    instances: [...active.map((one) => route(one, 'active')), ...recovering],
  }
}

const isServing = ({ state }: Instance): boolean => state === 'ready' || state === 'unready'

const route = ({ id, host, port }: Instance, state: RouteInstance['state']): RouteInstance => ({
  id,
  host,
  port,
  state,
})

/** Instances that may answer although none is ready: those that serve badly, else those that served last. */
function lastResort(state: ServiceState, set: SetState): RouteInstance[] {
  const serving = set.instances.filter(isServing).map((one) => route(one, 'active'))
  if (serving.length > 0) return serving
  const last = state.traffic.routes.find(({ release }) => release === set.release)?.instances ?? []
  return last.map((one) => ({ ...one, state: 'active' as const }))
}

export const sameRoutes = (a: readonly RouteSet[], b: readonly RouteSet[]): boolean =>
  JSON.stringify(canonical(a)) === JSON.stringify(canonical(b))

const canonical = (routes: readonly RouteSet[]): unknown =>
  [...routes]
    .sort((a, b) => a.release.localeCompare(b.release))
    .map((set) => [
      set.release,
      set.weightPermille,
      [...set.instances]
        .sort((a, b) => a.id.localeCompare(b.id))
        .map(({ id, host, port, state }) => [id, host, port, state]),
    ])

/**
 * The routes in force are the ones decided last, by this controller. Where nothing was ever routed there is nothing to
 * confirm.
 */
export const isConfirmed = (state: ServiceState): boolean => {
  const { confirmed, sequence, routes } = state.traffic
  if (sequence === 0) return true
  const isLast = confirmed !== null && confirmed.sequence === sequence && confirmed.epoch === state.epoch
  return isLast && sameRoutes(routesOf(state), routes)
}

/** The router confirmed that the release has just the share that was decided for it: nothing stands in for it, nor it for another. */
export const isInForce = (state: ServiceState, release: string): boolean =>
  isConfirmed(state) && (isWorkerService(state) || isShareConfirmed(state, release))

/** Nothing routes to it: a share is a share of instances. */
export const isWorkerService = ({ settings, rollout }: ServiceState): boolean =>
  isWorker(settings ?? rollout?.settings ?? null)

const isShareConfirmed = (state: ServiceState, release: string): boolean =>
  (state.traffic.confirmed?.weights[release] ?? 0) === (state.traffic.weights[release] ?? 0)
