import * as z from 'zod'
import { Instance } from '../../../core/shared/instance.ts'
import { LogLine } from '../../../core/shared/observation.ts'
import { ok, type Result } from '../../../core/shared/result.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import type { Target } from '../../../ports/target.ts'
import { type AgentClient, createAgentClient, servicePath } from './agent-client.ts'
import { createArtifactStore } from './artifact-store.ts'
import { diagnoseEngine, pruneImages, resolveImage } from './images.ts'
import { createObserver } from './observer.ts'

export type ProcessTargetOptions = {
  /** Control socket of the host agent. */
  socket: string
  /** Folder of the artifact copies. */
  artifacts: string
  /** Starts the agent as a process of its own; called only when none answers. */
  startAgent: () => Promise<Result<void>>
}

type SetName = { service: string; release: string }
type Fenced = SetName & { token: FencingToken }

/** A new agent reads its state and takes up what runs before it answers. */
const AGENT_START_LIMIT_MS = 10_000
const ASK_EVERY_MS = 50
/** Adopting asks the process for its health, which may take its whole time limit. */
const ADOPT_LIMIT_MS = 5000

const Done = z.object({})
const Alive = z.object({ pid: z.int(), boot: z.string() })

/** Processes on this host, looked after by the host agent. */
export function createProcessTarget({ socket, artifacts, startAgent }: ProcessTargetOptions): Target {
  const client = createAgentClient(socket)
  const store = createArtifactStore(artifacts)
  return {
    kind: 'processes',
    reconcile: () => reconcile(client, startAgent),
    resolve: (request) => (request.kind === 'image' ? resolveImage(client, request) : store.resolve(request)),
    prune: async (keep) => {
      const files = await store.prune(keep)
      if (files.kind === 'failed') return files
      const images = await pruneImages(client, keep)
      return images.kind === 'failed' ? images : ok([...files.value, ...images.value])
    },
    diagnose: (kept) => diagnoseEngine(client, kept),
    start: (request) =>
      done(client.call({ method: 'PUT', path: setPath(request.spec), body: request, answer: Done })),
    stop: ({ token, ...set }) =>
      done(
        client.call({
          method: 'DELETE',
          path: `${setPath(set)}${query({ token: JSON.stringify(token) })}`,
          answer: Done,
        }),
      ),
    quiesce: (request) => post(client, request, 'quiesce'),
    release: (request) => post(client, request, 'release'),
    adopt: (request) =>
      client.call({
        method: 'POST',
        path: `${setPath(request)}/adopt`,
        body: request,
        answer: Instance,
        limitMs: ADOPT_LIMIT_MS,
      }),
    observe: createObserver(client),
    logs: ({ service, release, lines }) =>
      client.call({
        method: 'GET',
        path: `${servicePath(service)}/logs${query({ lines: String(lines), ...(release === undefined ? {} : { release }) })}`,
        answer: z.array(LogLine),
      }),
    secretVersions: (names) =>
      client.call({
        method: 'GET',
        path: `/secrets/versions?${names.map(nameParameter).join('&')}`,
        answer: SecretVersions,
      }),
  }
}

const SecretVersions = z.record(z.string(), z.string())

async function reconcile(
  client: AgentClient,
  startAgent: () => Promise<Result<void>>,
): Promise<Result<void>> {
  const askAlive = () => client.call({ method: 'GET', path: '/livez', answer: Alive })
  let alive = await askAlive()
  if (alive.kind === 'ok') return ok(undefined)
  const begun = await startAgent()
  if (begun.kind === 'failed') return begun
  const until = Date.now() + AGENT_START_LIMIT_MS
  while (alive.kind === 'failed' && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    alive = await askAlive()
  }
  return alive.kind === 'ok' ? ok(undefined) : alive
}

const post = (
  client: AgentClient,
  { token, ...set }: Fenced,
  action: 'quiesce' | 'release',
): Promise<Result<void>> =>
  done(client.call({ method: 'POST', path: `${setPath(set)}/${action}`, body: { token }, answer: Done }))

async function done(call: Promise<Result<unknown>>): Promise<Result<void>> {
  const answer = await call
  return answer.kind === 'ok' ? ok(undefined) : answer
}

const setPath = ({ service, release }: SetName): string =>
  `/sets/${encodeURIComponent(service)}/${encodeURIComponent(release)}`
const query = (parameters: Record<string, string>): string => `?${new URLSearchParams(parameters)}`
const nameParameter = (name: string): string => `name=${encodeURIComponent(name)}`
