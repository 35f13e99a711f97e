import * as z from 'zod'
import { sluice, sluiceJson } from './command.ts'

/** Enough for the first stage (5% of it for 8 s) to be judged, little enough for two cores. */
export const LOAD_PER_SECOND = 300

const Loss = z.object({
  probes: z.number(),
  probesLost: z.number(),
  requests: z.number(),
  requestsLost: z.number(),
})
const Rollout = z.object({ trafficOffMs: z.number().nullable(), loss: Loss })
const Status = z.object({ services: z.tuple([z.object({ rollout: Rollout })]) })

/** Exit code of a deploy and what was measured during it. */
export type Released = { code: number } & z.infer<typeof Rollout>

export async function release(config: string, version: string): Promise<Released> {
  const code = await sluice(['deploy', version, '--yes', '--config', config, '--reason', 'demo'])
  const status = Status.parse(await sluiceJson(['status', '--config', config]))
  return { code, ...status.services[0].rollout }
}

/** What the load tool saw from outside: the measure that counts. */
export const LoadSummary = z.object({
  sent: z.number(),
  notSent: z.number(),
  errors: z.number(),
  lost: z.object({ count: z.number() }),
})
export type LoadSummary = z.infer<typeof LoadSummary>
