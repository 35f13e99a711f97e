import * as z from 'zod'
import { ContainerSettings } from '../shared/container-spec.ts'
import { Entry } from '../shared/entry.ts'
import { ListenAddress } from '../shared/listen-address.ts'
import { DurationMs } from '../shared/quantities.ts'
import { RequestPolicy } from '../shared/request-policy.ts'
import { RouterName } from '../shared/router-ability.ts'
import { ControllerLossPolicy, DrainLimits } from '../shared/routes.ts'
import { HealthProbe, Quiesce } from '../shared/set-spec.ts'
import { VerifyCheck } from '../shared/verification.ts'
import { AnalysisSettings } from './analysis-settings.ts'
import { RiskSettings } from './risk-settings.ts'
import { StrategySettings } from './strategy-settings.ts'
import { ReleaseWindow } from './window.ts'

/** What follows when a candidate fails, and how far back the fast way goes. */
export const RollbackSettings = z.object({
  /** Going back this many stable releases or fewer needs no stages: they held 100% lately. Further back takes all steps. */
  window: z.int().min(0).max(10),
  /** `hold`: a candidate that failed keeps its share until a person decides. */
  onFailure: z.enum(['rollback', 'hold']),
  /** This many automatic rollbacks within this time stop further deploys until a person says why; `null` switches it off. */
  breaker: z.object({ count: z.int().min(1).max(20), withinMs: DurationMs }).nullable(),
})
export type RollbackSettings = z.infer<typeof RollbackSettings>

const DAY_MS = 86_400_000
/** What releases were made with before the file could say anything else. */
const ROLLBACK_DEFAULT: RollbackSettings = {
  window: 3,
  onFailure: 'rollback',
  breaker: { count: 3, withinMs: DAY_MS },
}

export const NotifyChannel = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('webhook'),
    name: z.string(),
    url: z.url(),
    /** Name of the secret that signs, never its value. */
    secret: z.string(),
    on: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('command'),
    name: z.string(),
    command: z.array(z.string()).min(1),
    on: z.array(z.string()),
  }),
])
export type NotifyChannel = z.infer<typeof NotifyChannel>

/** Name of a service or an environment: what can stand in a path, a host name and a file name. */
export const Name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes, starting with a letter')
export type Name = z.infer<typeof Name>

/** What one instance is meant to use at most: 100% of it. Nobody enforces it; what is not said is that of the host. */
export const InstanceResources = z.object({
  cpus: z.number().positive().max(1024).exactOptional(),
  memoryBytes: z.int().positive().exactOptional(),
})
export type InstanceResources = z.infer<typeof InstanceResources>

/** One more router of a service. What it takes at its address is said here, and not taken over from the first one. */
export const AlsoServed = z.object({ router: RouterName, listen: ListenAddress, ...Entry.shape })
export type AlsoServed = z.infer<typeof AlsoServed>

/** One service in one environment with every default filled in: the resolved configuration a release carries. */
export const ServiceSettings = z.object({
  service: Name,
  environment: Name,
  production: z.boolean(),
  run: z.object({
    /** Absolute path of a folder, tarball or file, or with `container` the reference of an image; may hold `{{version}}`. */
    artifact: z.string(),
    /** Empty only with `container`: what the image says is run. */
    command: z.array(z.string()),
    replicas: z.int().min(1).max(1000),
    env: z.record(z.string(), z.string()),
    secrets: z.array(z.string()),
    stopGraceMs: DurationMs,
    /** Workers only: told to take no new work, and given so long to end by themselves, before they are stopped. */
    quiesce: Quiesce.exactOptional(),
    resources: InstanceResources.default({}),
    /** Absent: a process of the host. */
    container: ContainerSettings.exactOptional(),
  }),
  /** `null`: a worker, which takes its work from elsewhere. There is no data plane then, and a share is a share of instances. */
  listen: ListenAddress.nullable(),
  /** Which requests there are those of the service, and its certificate. */
  ...Entry.shape,
  health: HealthProbe,
  /** How long an instance that joins others of its release grows to its full share. Not in `health`: it changes how traffic comes, not what runs. */
  slowStartMs: DurationMs.default(0),
  /** Who sends requests to instances. */
  router: RouterName.default('builtin'),
  /** It was not named in the file but found on the machine. */
  routerFound: z.literal(true).exactOptional(),
  /** Other routers that serve the same instances at addresses of their own. Absent: `router` alone. */
  also: z.array(AlsoServed).min(1).exactOptional(),
  drain: DrainLimits,
  ...RequestPolicy.shape,
  strategy: StrategySettings,
  analysis: AnalysisSettings,
  /** What a release must pass before it gets traffic, and once it has all of it. */
  verify: z.array(VerifyCheck).default([]),
  rollback: RollbackSettings.default(ROLLBACK_DEFAULT),
  onControllerLoss: ControllerLossPolicy,
  /** Foreign weights on the router: set right at once, or left alone until a person says so. */
  drift: z.enum(['correct', 'hold']).default('correct'),
  /** What people declare about the service, for the risk of a plan and the strategy that fits. Absent: nothing. */
  risk: RiskSettings.exactOptional(),
  /** Hours in which a rollout may begin; none means always. */
  windows: z.array(ReleaseWindow).default([]),
  /** A freeze that begins during the steps: stay at the present weight, or take all traffic back to stable. */
  onFreeze: z.enum(['hold', 'return']).default('hold'),
  /** Synthetic requests during a rollout, to paths that are safe to repeat; `null` switches the prober off. */
  prober: z
    .object({ paths: z.array(z.string().startsWith('/')).min(1), intervalMs: z.int().min(20) })
    .nullable(),
  notify: z.array(NotifyChannel),
})
export type ServiceSettings = z.infer<typeof ServiceSettings>

/** `shop` in `local` -> `shop.local`: names the stream, the proxy's service and the agent's sets. */
export const streamOf = (settings: Pick<ServiceSettings, 'service' | 'environment'>): string =>
  `${settings.service}.${settings.environment}`

/** `shop.local` -> `local`. */
export const environmentOf = (stream: string): string => stream.split('.')[1] ?? 'local'
