import * as z from 'zod'
import { HealthCheck } from '../core/shared/health-check.ts'
import { SetSpec } from '../core/shared/set-spec.ts'
import { FencingToken } from '../core/shared/token.ts'
import { InstanceRecord } from './instance-record.ts'

/** How the agent must look after a process it did not start: it knows no command, only where to ask. */
const AdoptedSpec = z.object({
  version: z.string(),
  healthPath: z.string(),
  /** Where it is not asked by its path. */
  check: HealthCheck.exactOptional(),
})

/** What was asked for one release. `spec` is `null` while it consists of adopted processes only. */
export const SetRecord = z.object({
  service: z.string(),
  release: z.string(),
  replicas: z.int().nonnegative(),
  spec: SetSpec.nullable(),
  adopted: AdoptedSpec.nullable(),
})
export type SetRecord = z.infer<typeof SetRecord>

/** The whole content of agent.json. */
export const AgentState = z.object({
  format: z.literal(1),
  /** Of the host; another one means that every recorded process is gone. */
  hostBoot: z.string(),
  tokens: z.record(z.string(), FencingToken),
  sets: z.array(SetRecord),
  instances: z.array(InstanceRecord),
})
export type AgentState = z.infer<typeof AgentState>

export const emptyState = (hostBoot: string): AgentState => ({
  format: 1,
  hostBoot,
  tokens: {},
  sets: [],
  instances: [],
})
