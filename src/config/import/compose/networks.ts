import * as z from 'zod'
import type { Keys } from './notes.ts'
import { engineName } from './volumes.ts'

const Networks = z.union([z.array(z.string()), z.record(z.string(), z.unknown())])
const DEFAULT = 'default'

/** The networks of a service by their names in the file; `null` where it has none of its own (`network_mode`). */
export function networksOf(keys: Keys): string[] | null {
  const mode = keys.raw('network_mode')
  if (mode !== undefined) {
    if (mode !== 'bridge')
      keys.leaveOut(
        'network_mode',
        'Instances are several on one machine, so each has addresses of its own: on a network, or on that of the engine.',
      )
    return null
  }
  const named = keys.read('networks', Networks)
  if (named === undefined) return [DEFAULT]
  const names = Array.isArray(named) ? named : Object.keys(named)
  return names.length === 0 ? [DEFAULT] : names
}

type NetworkNames = {
  project: string
  networks: Readonly<Record<string, unknown>>
  /** Networks that are there without us: of what stays with compose, or not made by compose at all. */
  there: ReadonlySet<string>
}

/** The one network of the instances, as the engine knows it; the others are answered for. */
export function networkOf(keys: Keys, own: readonly string[], names: NetworkNames): string | null {
  const wanted = [...new Set(own)].toSorted((a, b) => Number(names.there.has(b)) - Number(names.there.has(a)))
  const [first, ...others] = wanted
  if (first === undefined) return null
  const isThere = names.there.has(first)
  // One note, whatever there is to say.
  const why = [
    ...(others.length === 0
      ? []
      : [`An instance is on one network, and ${first} was taken before ${others.join(', ')}.`]),
    ...(isThere || first === DEFAULT ? [] : [notThere(first)]),
  ]
  if (why.length > 0) keys.leaveOut('networks', why.join(' '))
  return isThere ? engineName(first, names.networks, names.project) : null
}

const notThere = (network: string): string =>
  `Nothing that stays with compose is on ${network}, so it would not be there. Make it with "docker network create ${network}" and name it under run.network.`
