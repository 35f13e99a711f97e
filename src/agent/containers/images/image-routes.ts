import type { Context, Hono } from 'hono'
import * as z from 'zod'
import type { Finding } from '../../../core/shared/finding.ts'
import { KeptImage } from '../../../core/shared/kept-image.ts'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import type { Result } from '../../../core/shared/result.ts'
import type { ImageStore } from './image-store.ts'

const ResolveBody = z.object({ reference: z.string().min(1).max(1000), version: z.string().min(1).max(200) })
const PruneBody = z.object({ keep: z.array(z.string()).max(100_000) })

const DiagnoseBody = z.object({ kept: z.array(KeptImage).max(10_000) })

type ImageRouteParts = {
  images: ImageStore
  diagnose(kept: readonly KeptImage[]): Promise<Result<Finding[]>>
  refuse(c: Context, of: Problem): Response
}

/** What the controller asks about images. Nothing of it changes an instance, so none of it carries a token. */
export function addImageRoutes(app: Hono, { images, diagnose, refuse }: ImageRouteParts): void {
  app.post('/images/resolve', async (c) => {
    const body = ResolveBody.safeParse(parseJson(await c.req.text()))
    if (!body.success) return refuse(c, badRequest(body.error))
    const resolved = await images.resolve(body.data)
    return resolved.kind === 'ok' ? c.json(resolved.value) : refuse(c, resolved.problem)
  })
  app.post('/images/prune', async (c) => {
    const body = PruneBody.safeParse(parseJson(await c.req.text()))
    if (!body.success) return refuse(c, badRequest(body.error))
    const removed = await images.prune(body.data.keep)
    return removed.kind === 'ok' ? c.json(removed.value) : refuse(c, removed.problem)
  })
  app.post('/images/diagnose', async (c) => {
    const body = DiagnoseBody.safeParse(parseJson(await c.req.text()))
    if (!body.success) return refuse(c, badRequest(body.error))
    const found = await diagnose(body.data.kept)
    return found.kind === 'ok' ? c.json(found.value) : refuse(c, found.problem)
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const badRequest = (error: z.ZodError): Problem =>
  problem('AGENT_BAD_REQUEST', {
    message: `the agent cannot read this request: ${z.prettifyError(error)}`,
    remedy: 'Use a controller of the same version as the agent.',
  })
