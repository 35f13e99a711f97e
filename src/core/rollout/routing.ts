import type { Instance } from '../shared/instance.ts'
import type { RouteInstance, RouteSet } from '../shared/routes.ts'
import type { WeightPermille } from '../shared/weight.ts'
import { TOTAL_PERMILLE } from '../shared/weight.ts'
import type { ServiceState, SetState } from './state.ts'

type Weights = Record<string, WeightPermille>

/**
 * The routes that the decided weights and the instances ready right now ask for. One pure function, so that every
 * rule about where traffic may go stands here: weights add up to the total; no weight on a set without a ready
 * instance while another set has one; a retiring set only finishes what it has.
 */
export function routesOf(state: ServiceState): RouteSet[] {
  if (Object.keys(state.traffic.weights).length === 0) return []
  const weights = safeWeights(state)
  return state.sets
    .filter((set) => set.stage === 'wanted' || (weights[set.release] ?? 0) > 0)
    .map((set) => routeSet(set, weights[set.release] ?? 0, lastRoutes(state, set)))
    .filter((set) => set.instances.length > 0)
}

/** Weights with the shares of sets that cannot serve given to one that can: stable first, then the readiest. */
export function safeWeights(state: ServiceState): Weights {
  const { weights } = state.traffic
  const able = state.sets.filter((set) => set.stage === 'wanted' && set.role !== 'retiring' && readyInstances(set).length > 0)
  const stranded = Object.entries(weights).filter(([release, weight]) => weight > 0 && !able.some((set) => set.release === release))
  if (stranded.length === 0) return weights
  const rescue = able.find((set) => set.release === state.stable?.release) ?? [...able].sort((a, b) => readyInstances(b).length - readyInstances(a).length)[0]
  if (rescue === undefined) return weights
  const moved = stranded.reduce((sum, [, weight]) => sum + weight, 0)
  const emptied = Object.fromEntries(stranded.map(([release]) => [release, 0]))
  return { ...weights, ...emptied, [rescue.release]: (weights[rescue.release] ?? 0) + moved }
}

/** All traffic on one release. */
export const everythingTo = (release: string, others: readonly string[]): Weights => ({
  ...Object.fromEntries(others.map((other) => [other, 0])),
  [release]: TOTAL_PERMILLE,
})

export const readyInstances = (set: SetState | undefined): Instance[] => set?.instances.filter(({ state }) => state === 'ready') ?? []

export const livingInstances = (set: SetState): Instance[] => set.instances.filter(({ state }) => state !== 'gone')

function routeSet(set: SetState, weightPermille: WeightPermille, last: readonly RouteInstance[]): RouteSet {
  const { release, version } = set
  if (set.role === 'retiring') return { release, version, weightPermille, instances: livingInstances(set).filter(isServing).map((one) => route(one, 'draining')) }
  const active = readyInstances(set)
  // With weight and nothing ready anywhere, requests still go where they went: an unready instance may answer, nobody else will.
  if (active.length === 0 && weightPermille > 0) {
    const serving = set.instances.filter(isServing)
    return { release, version, weightPermille, instances: serving.length > 0 ? serving.map((one) => route(one, 'active')) : last.map((one) => ({ ...one, state: 'active' as const })) }
  }
  const recovering = set.instances.filter(({ state }) => state === 'unready').map((one) => route(one, 'draining'))
  return { release, version, weightPermille, instances: [...active.map((one) => route(one, 'active')), ...recovering] }
}

const isServing = ({ state }: Instance): boolean => state === 'ready' || state === 'unready'

const route = ({ id, host, port }: Instance, state: RouteInstance['state']): RouteInstance => ({ id, host, port, state })

const lastRoutes = (state: ServiceState, set: SetState): readonly RouteInstance[] =>
  state.traffic.routes.find(({ release }) => release === set.release)?.instances ?? []

export const sameRoutes = (a: readonly RouteSet[], b: readonly RouteSet[]): boolean => JSON.stringify(canonical(a)) === JSON.stringify(canonical(b))

const canonical = (routes: readonly RouteSet[]): unknown =>
  [...routes]
    .sort((a, b) => a.release.localeCompare(b.release))
    .map((set) => [set.release, set.weightPermille, [...set.instances].sort((a, b) => a.id.localeCompare(b.id)).map(({ id, host, port, state }) => [id, host, port, state])])
