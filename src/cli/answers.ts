import * as z from 'zod'
import { ReleaseAbout } from '../core/release/release-about.ts'
import { RolloutSummary, RolloutView, ServiceView, TimelineEntry } from '../core/rollout/view/view.ts'
import { Finding } from '../core/shared/finding.ts'
import { Freeze } from '../core/shared/freeze.ts'
import { LogLine } from '../core/shared/observation.ts'
import { RouterAbilities } from '../core/shared/router-ability.ts'

/** What operations answer, as far as the CLI reads it. */
export const ViewAnswer = z.object({ view: ServiceView })
export const DeployAnswer = z.object({ rollout: z.string().nullable(), view: ServiceView })
export const ServicesAnswer = z.object({ services: z.array(ServiceView) })
export const RolloutAnswer = z.object({ rollout: RolloutView, timeline: z.array(TimelineEntry) })
export const RolloutsAnswer = z.object({ rollouts: z.array(RolloutSummary) })
export const FreezeAnswer = z.object({
  environment: z.string(),
  freeze: Freeze.nullable(),
  streams: z.array(z.string()),
})
export const RoutersAnswer = z.object({
  routers: z.array(RouterAbilities),
  services: z.array(
    z.object({
      service: z.string(),
      environment: z.string(),
      text: z.string(),
      needs: z.array(z.string()),
      lacks: z.array(z.string()),
    }),
  ),
})
export const ProxyAnswer = z.object({
  pid: z.number(),
  version: z.string().nullable(),
  installed: z.string(),
  leaving: z.number(),
})
export type ProxyAnswer = z.infer<typeof ProxyAnswer>
export const UpgradeAnswer = z.object({
  upgraded: z.boolean(),
  from: z.string().nullable(),
  to: z.string(),
  pid: z.number(),
  /** Controllers of older versions do not tell. */
  processes: z.number().default(1),
})
export type UpgradeAnswer = z.infer<typeof UpgradeAnswer>

export const LogsAnswer = z.object({ lines: z.array(LogLine) })
export type LogLines = z.infer<typeof LogsAnswer>['lines']

export const ReleasesAnswer = z.object({
  releases: z.array(
    z.object({
      id: z.string(),
      version: z.string(),
      digest: z.string().nullable(),
      createdAt: z.number(),
      createdBy: z.string(),
      state: z.string(),
      rollbackReady: z.boolean(),
      whyNot: z.string().nullable(),
      blocked: z.string().nullable(),
      about: ReleaseAbout.exactOptional(),
    }),
  ),
})

export const MessagesAnswer = z.object({
  messages: z.array(
    z.object({
      channel: z.string(),
      key: z.string(),
      state: z.string(),
      attempts: z.number(),
      lastError: z.string().nullable(),
      type: z.string(),
      at: z.union([z.number(), z.string()]),
    }),
  ),
})

export const FindingsAnswer = z.object({ findings: z.array(Finding) })
