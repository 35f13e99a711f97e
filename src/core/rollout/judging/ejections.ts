import { isDryRun } from '../../analysis/dry-run.ts'
import type { Instance } from '../../shared/instance.ts'
import type { SeenRouter } from '../command.ts'
import { ENGINE, type Reason } from '../reason.ts'
import type { RolloutState, ServiceState, SetState } from '../state.ts'

type EjectionOf = (instance: Pick<Instance, 'id' | 'release'>) => Pick<Instance, 'ejected'>

const NOT_EJECTED: EjectionOf = () => ({})

/** Which instances a router leaves out. While one does not answer, what was said last is said on. */
export function ejectionsSeen({ sets, stable }: ServiceState, routers: readonly SeenRouter[]): EjectionOf {
  if (routers.some(({ kind }) => kind === 'failed')) {
    const known = new Map(sets.flatMap(({ instances }) => instances.map((one) => [keyOf(one), one.ejected])))
    return (instance) => asFound(known.get(keyOf(instance)))
  }
  const all = routers.flatMap((router) => (router.kind === 'seen' ? router.state.instances : []))
  const out = all.filter(({ ejected }) => ejected !== undefined)
  if (out.length === 0) return NOT_EJECTED
  const alsoStable = stable !== null && out.some(({ release }) => release === stable.release)
  const seen = new Map(
    out.flatMap((one) =>
      one.ejected === undefined ? [] : [[keyOf(one), { ...one.ejected, alsoStable }] as const],
    ),
  )
  return (instance) => asFound(seen.get(keyOf(instance)))
}

const keyOf = ({ release, id }: Pick<Instance, 'id' | 'release'>): string => `${release} ${id}`

const asFound = (ejected: Instance['ejected'] | undefined): Pick<Instance, 'ejected'> =>
  ejected === undefined ? {} : { ejected }

/** So often in a row: once may be chance, or something that stable meets a moment later. */
const TELLING_TIMES = 2

/**
 * Left out, tried again, and left out again, while stable had nobody left out: what users get from this instance is the
 * fault of its version as much as if it failed its health check.
 */
export const failsForUsers = ({ ejected }: Pick<Instance, 'ejected'>): boolean =>
  ejected !== undefined && ejected.times >= TELLING_TIMES && !ejected.alsoStable

const NAME = 'instances left out'

/**
 * One instance in such trouble is not enough to go back, as with health checks, and what users get has become better by
 * its ejection: so the numbers may never show it. Somebody looks before the candidate gets more.
 */
export function ejectionsFound(
  { acknowledged, settings }: RolloutState,
  candidate: SetState | undefined,
): { reason: Reason; checks: string[] } | null {
  if (acknowledged.includes(NAME) || isDryRun(settings.analysis, 'failing instances')) return null
  const out = candidate?.instances.filter(failsForUsers) ?? []
  const [first] = out
  if (candidate === undefined || first === undefined) return null
  const where = `${out.length} of ${candidate.replicas} instances of ${candidate.version}`
  const message = `${where} ${out.length === 1 ? 'is' : 'are'} left out again and again, and none of stable: ${first.id}: ${first.ejected?.why}`
  const evidence = {
    ejected: out.map(({ id, ejected }) => ({ id, times: ejected?.times, why: ejected?.why })),
  }
  return { reason: { code: 'INSTANCES_EJECTED', message, evidence, actor: ENGINE }, checks: [NAME] }
}
