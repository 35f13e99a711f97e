import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as z from 'zod'
import type { Finding } from '../core/shared/finding.ts'
import type { KeptImage } from '../core/shared/kept-image.ts'
import { AdoptRequest } from '../core/shared/observation.ts'
import { type Problem, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { SetRequest } from '../core/shared/set-spec.ts'
import { FencingToken } from '../core/shared/token.ts'
import { expose } from '../telemetry/exposition.ts'
import { processSamples } from '../telemetry/process-samples.ts'
import { VERSION } from '../telemetry/version.ts'
import { adopt, letGo } from './adopt.ts'
import type { ContainerRunner } from './containers/container-runner.ts'
import type { Engine } from './containers/engine.ts'
import { addImageRoutes } from './containers/images/image-routes.ts'
import type { ImageStore } from './containers/images/image-store.ts'
import type { ErrorReader } from './error-reader.ts'
import type { Asker } from './health/asker.ts'
import type { NamedChecks } from './health/named-checks.ts'
import type { InstanceRunner } from './instance-runner.ts'
import { agentSamples } from './metrics.ts'
import { observe, readLogs, toInstance } from './observe.ts'
import type { Secrets } from './secrets.ts'
import type { SetRegistry } from './set-registry.ts'
import type { Supervisor } from './supervisor.ts'
import type { UseSampler } from './use/use-sampler.ts'

export type ControlParts = {
  registry: SetRegistry
  runner: InstanceRunner
  supervisor: Supervisor
  errors: ErrorReader
  use: UseSampler
  checks: NamedChecks
  asker: Asker
  engine: Engine
  containers: ContainerRunner
  images: ImageStore
  diagnose(kept: readonly KeptImage[]): Promise<Result<Finding[]>>
  secrets: Secrets
  logFolder: string
  boot: string
  report(error: unknown): void
}

/** A set is a page of settings; more than this is a mistake. */
const BODY_BYTES = 1024 * 1024
const MOST_LINES = 1000
const DEFAULT_LINES = 100

const TokenBody = z.object({ token: FencingToken })
const LogQuery = z.object({
  release: z.string().optional(),
  lines: z.coerce.number().int().min(1).max(MOST_LINES).default(DEFAULT_LINES),
})
type Route = { service: string; release: string }

/** The control interface, HTTP over a unix socket. Whoever can open the socket may do everything. */
export function createControl(parts: ControlParts): Hono {
  const app = new Hono()
  app.use(bodyLimit({ maxSize: BODY_BYTES }))
  app.get('/livez', (c) => c.json({ pid: process.pid, boot: parts.boot }))
  addWatchRoutes(app, parts)
  addSetRoutes(app, parts)
  addAdoptRoutes(app, parts)
  addReadRoutes(app, parts)
  addImageRoutes(app, { images: parts.images, diagnose: parts.diagnose, refuse })
  app.notFound((c) => refuse(c, badRequest(`there is no ${c.req.method} ${c.req.path}`)))
  app.onError((error, c) => {
    parts.report(error)
    return refuse(c, agentFailed(error))
  })
  return app
}

/** The loop looks ten times a second; when it has not for this long, it is stuck. */
const STUCK_MS = 5000

/** For those who watch over the process. */
function addWatchRoutes(app: Hono, parts: ControlParts): void {
  const { supervisor } = parts
  app.get('/healthz', (c) => c.json({ live: true }))
  app.get('/readyz', (c) =>
    supervisor.lookAgeMs() <= STUCK_MS
      ? c.json({ ready: true })
      : c.json({ ready: false, code: 'AGENT_FAILED' }, 503),
  )
  app.get('/metrics', async (c) => {
    const samples = [...processSamples('agent', VERSION), ...agentSamples(parts)]
    const { contentType, text } = await expose('agent', samples, c.req.header('accept') ?? '')
    return c.body(text, 200, { 'content-type': contentType })
  })
}

function addSetRoutes(app: Hono, parts: ControlParts): void {
  const { registry, supervisor } = parts
  app.put('/sets/:service/:release', async (c) => {
    const request = await parseBody(c, SetRequest)
    if (request.kind === 'failed') return refuse(c, request.problem)
    const { spec, replicas, without = [], token } = request.value
    const named = matchesRoute(c.req.param(), spec)
    if (named.kind === 'failed') return refuse(c, named.problem)
    const admitted = registry.admit(spec.service, token)
    if (admitted.kind === 'failed') return refuse(c, admitted.problem)
    const adopted = registry.findSet(spec)?.adopted ?? null
    registry.putSet({ service: spec.service, release: spec.release, replicas, spec, adopted })
    // On the disk with the number: whoever reads only half of it would stop others.
    for (const { id } of registry.instancesOf(spec))
      if (without.includes(id)) parts.runner.apply(id, { kind: 'stop-asked', at: Date.now() })
    registry.save()
    supervisor.tick(Date.now())
    return c.json({}, 202)
  })
  app.delete('/sets/:service/:release', (c) => {
    const token = FencingToken.safeParse(parseJson(c.req.query('token') ?? ''))
    if (!token.success) return refuse(c, badRequest('the query has no valid token'))
    const admitted = registry.admit(c.req.param('service'), token.data)
    if (admitted.kind === 'failed') return refuse(c, admitted.problem)
    const set = registry.findSet(c.req.param())
    if (set !== undefined) registry.putSet({ ...set, replicas: 0 })
    registry.save()
    supervisor.tick(Date.now())
    return c.json({})
  })
  app.post('/sets/:service/:release/quiesce', async (c) => {
    const admitted = await admitBody(c, c.req.param('service'), parts)
    if (admitted.kind === 'failed') return refuse(c, admitted.problem)
    for (const instance of registry.instancesOf(c.req.param())) parts.runner.quiesce(instance)
    return c.json({})
  })
}

function addAdoptRoutes(app: Hono, parts: ControlParts): void {
  const { registry, secrets, asker, engine, containers } = parts
  app.post('/sets/:service/:release/adopt', async (c) => {
    const request = await parseBody(c, AdoptRequest)
    if (request.kind === 'failed') return refuse(c, request.problem)
    const named = matchesRoute(c.req.param(), request.value)
    if (named.kind === 'failed') return refuse(c, named.problem)
    const admitted = registry.admit(request.value.service, request.value.token)
    if (admitted.kind === 'failed') return refuse(c, admitted.problem)
    const adopted = await adopt(request.value, { registry, asker, engine, containers })
    if (adopted.kind === 'failed') return refuse(c, adopted.problem)
    return c.json(toInstance(adopted.value, { redact: secrets.redact, logFolder: parts.logFolder }))
  })
  app.post('/sets/:service/:release/release', async (c) => {
    const admitted = await admitBody(c, c.req.param('service'), parts)
    if (admitted.kind === 'failed') return refuse(c, admitted.problem)
    const released = letGo(c.req.param(), registry)
    return released.kind === 'ok' ? c.json({}) : refuse(c, released.problem)
  })
}

function addReadRoutes(app: Hono, parts: ControlParts): void {
  const view = { ...parts, redact: parts.secrets.redact }
  app.get('/services/:service', (c) => c.json(observe(c.req.param('service'), view)))
  app.get('/services/:service/errors', (c) => c.json(parts.errors.errorsOf(c.req.param('service'))))
  app.get('/services/:service/logs', (c) => {
    const query = LogQuery.safeParse(c.req.query())
    if (!query.success) return refuse(c, badRequest(z.prettifyError(query.error)))
    const { release, lines } = query.data
    return c.json(readLogs({ service: c.req.param('service'), release, lines }, view))
  })
  app.get('/secrets/versions', (c) => {
    const versions = parts.secrets.versions(c.req.queries('name') ?? [])
    return versions.kind === 'ok' ? c.json(versions.value) : refuse(c, versions.problem)
  })
}

async function parseBody<T>(c: Context, shape: z.ZodType<T>): Promise<Result<T>> {
  const parsed = shape.safeParse(parseJson(await c.req.text()))
  return parsed.success ? ok(parsed.data) : failed(badRequest(z.prettifyError(parsed.error)))
}

async function admitBody(c: Context, service: string, { registry }: ControlParts): Promise<Result<void>> {
  const body = await parseBody(c, TokenBody)
  return body.kind === 'failed' ? body : registry.admit(service, body.value.token)
}

function matchesRoute(route: Route, body: Route): Result<void> {
  if (route.service === body.service && route.release === body.release) return ok(undefined)
  return failed(badRequest(`the address names ${route.release}, the body ${body.release} of ${body.service}`))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const STATUS_OF: Record<string, 400 | 404 | 409 | 500> = {
  AGENT_BAD_REQUEST: 400,
  AGENT_FAILED: 500,
  STALE_TOKEN: 409,
  ADOPT_NOTHING_LISTENS: 404,
  ADOPT_NO_SUCH_PROCESS: 404,
  ADOPT_NO_SUCH_CONTAINER: 404,
}

const refuse = (c: Context, of: Problem): Response => c.json({ problem: of }, STATUS_OF[of.code] ?? 409)

const badRequest = (message: string): Problem =>
  problem('AGENT_BAD_REQUEST', {
    message: `the agent cannot read this request: ${message}`,
    remedy: 'Use a controller of the same version as the agent.',
  })

const agentFailed = (error: Error): Problem =>
  problem('AGENT_FAILED', {
    message: `the agent could not carry out the request: ${error.message}`,
    remedy: 'See agent.log in the agent folder. A full disk and missing rights are the usual causes.',
    retryable: true,
  })
