import * as z from 'zod'
import { Finding } from '../../../core/shared/finding.ts'
import type { KeptImage } from '../../../core/shared/kept-image.ts'
import { ok, type Result } from '../../../core/shared/result.ts'
import type { ResolvedArtifact, ResolveRequest } from '../../../ports/target.ts'
import type { AgentClient } from './agent-client.ts'

/** Somewhat longer than the agent gives the engine for a pull. */
const RESOLVE_LIMIT_MS = 11 * 60_000
/** Many images at once, each of which the engine has to take apart. */
const PRUNE_LIMIT_MS = 5 * 60_000

const ResolvedImage = z.object({
  digest: z.string(),
  image: z.string(),
  bytes: z.int(),
  warnings: z.array(z.string()),
})

/** The agent brings the image here: it speaks with the engine. */
export async function resolveImage(
  client: AgentClient,
  { artifact: reference, version }: ResolveRequest,
): Promise<Result<ResolvedArtifact>> {
  const found = await client.call({
    method: 'POST',
    path: '/images/resolve',
    body: { reference, version },
    answer: ResolvedImage,
    limitMs: RESOLVE_LIMIT_MS,
  })
  return found.kind === 'failed' ? found : ok({ ...found.value, folder: '', files: 0 })
}

export const pruneImages = (client: AgentClient, keep: readonly string[]): Promise<Result<string[]>> =>
  client.call({
    method: 'POST',
    path: '/images/prune',
    body: { keep },
    answer: z.array(z.string()),
    limitMs: PRUNE_LIMIT_MS,
  })

/** An engine that is slow to answer is one of the things to find. */
const DIAGNOSE_LIMIT_MS = 30_000

export const diagnoseEngine = (client: AgentClient, kept: readonly KeptImage[]): Promise<Result<Finding[]>> =>
  client.call({
    method: 'POST',
    path: '/images/diagnose',
    body: { kept },
    answer: z.array(Finding),
    limitMs: DIAGNOSE_LIMIT_MS,
  })
