import * as z from 'zod'
import { Outcome } from '../rollout/outcome.ts'
import { WaitingOn } from '../rollout/reason.ts'
import { RolloutEvidence } from '../rollout/replay/rollout-evidence.ts'
import { TimelineEntry } from '../rollout/view/view.ts'

/** What became of a plan in virtual time. */
export const Simulation = z.object({
  service: z.string(),
  environment: z.string(),
  from: z.string().nullable(),
  to: z.string(),
  strategy: z.string(),
  seed: z.int(),
  /** `null`: it did not end within the time. */
  outcome: Outcome.nullable(),
  /** The sentence that `explain` and the live view have. */
  sentence: z.string(),
  /** Since it began, in ms of virtual time. */
  tookMs: z.number(),
  waitingOn: WaitingOn.nullable(),
  /** From the verdict to the last new request, in ms. */
  trafficOffMs: z.number().nullable(),
  timeline: z.array(
    TimelineEntry.pick({ text: true, level: true, actor: true }).extend({ atMs: z.number() }),
  ),
  candidate: z.object({ requests: z.int(), errors: z.int() }),
  /** Requests that no instance could take. */
  lost: z.int(),
  peakInstances: z.int(),
  /** What `explain` shows; `null` where nothing was judged. */
  evidence: RolloutEvidence.nullable(),
  /** What the simulation leaves out of the plan, in sentences. */
  left: z.array(z.string()),
})
export type Simulation = z.infer<typeof Simulation>
