import * as z from 'zod'
import { sizeText } from '../../size.ts'
import type { Keys } from './notes.ts'

/** Of one instance; `memory` as a size of ours. */
export type Resources = { cpus?: number; memory?: string }

const Scalar = z.union([z.string(), z.number()])
const Limits = z.object({ cpus: Scalar.optional(), memory: Scalar.optional(), pids: z.unknown().optional() })
const Deploy = z.looseObject({
  replicas: z.coerce.number().int().min(0).max(1000).optional(),
  resources: z.looseObject({ limits: Limits.optional(), reservations: z.unknown().optional() }).optional(),
})

export type Deployment = { replicas: number; resources: Resources }

const LEAST_MEMORY = 1024 ** 2
const MOST_MEMORY = 1024 ** 5
const FACTOR: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** How many, and with how much each: from `deploy`, or from the older keys of a service. */
export function deploymentOf(keys: Keys): Deployment {
  const deploy = keys.read('deploy', Deploy)
  const scale = keys.read('scale', z.coerce.number().int().min(0).max(1000))
  const limits = deploy?.resources?.limits
  const cpus = cpusOf(keys, limits?.cpus ?? keys.read('cpus', Scalar))
  const memory = memoryOf(keys, limits?.memory ?? keys.read('mem_limit', Scalar))
  if (limits?.pids !== undefined)
    keys.leaveOut('deploy', 'The limit of processes (pids) is not set on the instances.')
  if (deploy?.resources?.reservations !== undefined)
    keys.leaveOut('deploy', 'Reservations and devices are not kept: only limits are.')
  for (const key of Object.keys(deploy ?? {})) {
    const why = LEFT_OF_DEPLOY.get(key)
    if (why !== undefined) keys.leaveOut(`deploy.${key}`, why)
  }
  const said = deploy?.replicas ?? scale ?? 1
  if (said === 0) keys.check(`${keys.service} has 0 replicas in the file; one was written.`)
  return {
    replicas: Math.max(1, said),
    resources: { ...(cpus === null ? {} : { cpus }), ...(memory === null ? {} : { memory }) },
  }
}

const LEFT_OF_DEPLOY = new Map([
  ['update_config', 'The strategy of the service takes its place.'],
  ['rollback_config', 'What follows a failure stands under rollback.'],
  ['restart_policy', 'An instance that ends is started again, with growing pauses.'],
  ['placement', 'Instances run on the machine of the agent.'],
  ['endpoint_mode', 'Requests come through the data plane of the service.'],
  ['mode', 'Instances run on one machine: as many as run.replicas says.'],
  ['labels', 'Containers carry labels of Sluice only.'],
])

function cpusOf(keys: Keys, written: string | number | undefined): number | null {
  if (written === undefined) return null
  const cpus = Number(written)
  if (cpus >= 0.01 && cpus <= 1024) return cpus
  keys.leaveOut('deploy', `${JSON.stringify(written)} processors cannot be given: from 0.01 to 1024.`)
  return null
}

/** Compose counts in powers of 1024, whatever it is called. */
function memoryOf(keys: Keys, written: string | number | undefined): string | null {
  if (written === undefined) return null
  const [, digits, unit = ''] = /^(\d{1,16}(?:\.\d{1,9})?)\s?([kmgt]?)i?b?$/i.exec(String(written)) ?? []
  const bytes = digits === undefined ? 0 : Math.round(Number(digits) * (FACTOR[unit.toLowerCase()] ?? 0))
  if (bytes >= LEAST_MEMORY && bytes <= MOST_MEMORY) return sizeText(bytes)
  keys.leaveOut('deploy', `${JSON.stringify(written)} is no size of memory from 1MiB to 1024TiB.`)
  return null
}
