import type { AdoptRequest } from '../core/shared/observation.ts'
import { type Problem, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { readyCheckOf } from '../core/shared/set-spec.ts'
import type { SetRecord } from './agent-state.ts'
import type { ContainerRunner } from './containers/container-runner.ts'
import type { Engine } from './containers/engine.ts'
import { containerAround, isCarrier, publishedBy, servingContainer } from './containers/serving.ts'
import type { Asker } from './health/asker.ts'
import { healthOf } from './health-settings.ts'
import {
  adoptedInstance,
  type InstanceRecord,
  type ProcessIdentity,
  type Serving,
} from './instance-record.ts'
import { findListeningProcess, listenersOf } from './processes/listening-ports.ts'
import { findProcess } from './processes/process-table.ts'
import type { SetRegistry } from './set-registry.ts'
import { nextId } from './supervisor.ts'

type AdoptParts = {
  registry: SetRegistry
  asker: Asker
  engine: Engine
  containers: Pick<ContainerRunner, 'takeUp'>
}

/** Takes a process or a container that serves already under control without touching it. The request has passed the fence. Repeatable. */
export async function adopt(request: AdoptRequest, parts: AdoptParts): Promise<Result<InstanceRecord>> {
  const found = await findServing(request, parts.engine)
  if (found.kind === 'failed') return found
  const serving = found.value
  const known = findKnown(serving.process, parts.registry)
  if (known !== undefined) return isRepeat(known, request) ? ok(known) : failed(alreadyOurs(known))
  const health = await checkHealth(request, serving, parts)
  if (health.kind === 'failed') return health
  // Asking took time: a newer controller may have spoken, or the same request may have come twice.
  const admitted = parts.registry.admit(request.service, request.token)
  if (admitted.kind === 'failed') return admitted
  const twin = findKnown(serving.process, parts.registry)
  if (twin !== undefined) return ok(twin)
  const record = enter(request, serving, parts.registry)
  if (serving.container !== null) await parts.containers.takeUp(record)
  return ok(record)
}

async function checkHealth(
  request: AdoptRequest,
  serving: Serving,
  { asker }: AdoptParts,
): Promise<Result<void>> {
  const health = healthOf(setOf(request))
  const question = { check: readyCheckOf(health), timeoutMs: health.timeoutMs }
  const record = adoptedInstance({ ...request, id: nextId(request.service), serving, at: Date.now() })
  const answer = await asker.ask(record, null, question)
  return answer.kind === 'passed' ? ok(undefined) : failed(unhealthy(request, answer.failure.message))
}

function enter(request: AdoptRequest, serving: Serving, registry: SetRegistry): InstanceRecord {
  const record = adoptedInstance({
    ...request,
    id: nextId(request.service),
    serving,
    at: Date.now(),
  })
  const before = registry.findSet(request)
  const present = registry.instancesOf(request).filter((other) => other.state !== 'gone').length
  const replicas = Math.max(before?.replicas ?? 0, present + 1)
  registry.putSet({ ...setOf(request), spec: before?.spec ?? null, replicas })
  registry.addInstance(record)
  registry.save()
  return record
}

const setOf = ({ service, release, version, healthPath, check }: AdoptRequest): SetRecord => ({
  service,
  release,
  replicas: 1,
  spec: null,
  adopted: { version, healthPath, ...(check === undefined ? {} : { check }) },
})

/** Lets go of adopted processes; they run on as they are. */
export function letGo(name: { service: string; release: string }, registry: SetRegistry): Result<void> {
  const instances = registry.instancesOf(name).filter((instance) => instance.state !== 'gone')
  const own = instances.find((instance) => !instance.adopted)
  if (own !== undefined) return failed(notAdopted(own))
  for (const instance of registry.instancesOf(name)) registry.removeInstance(instance.id)
  registry.removeSet(name)
  registry.save()
  return ok(undefined)
}

/** A port of a container is held by a program of the engine, or by nobody at all. */
async function findServing(request: AdoptRequest, engine: Engine): Promise<Result<Serving>> {
  const { port, pid, container } = request
  if (container !== undefined) return servingContainer(container, port, engine)
  const owner = findOwner(request)
  if (owner.kind === 'ok' && !isCarrier(owner.value.pid)) {
    const around = containerAround(owner.value.pid)
    const isOurOwn = around === null || around === containerAround(process.pid)
    if (isOurOwn) return ok({ host: '127.0.0.1', port, process: owner.value, container: null })
    return servingContainer(around, port, engine)
  }
  const isNobody = owner.kind === 'ok' || owner.problem.code === 'ADOPT_NOTHING_LISTENS'
  const published = pid === undefined && isNobody ? await publishedBy(port, engine) : null
  if (published !== null) return published
  return owner.kind === 'failed' ? owner : failed(carriedForNobody(owner.value.pid, port))
}

function findOwner({ port, pid }: AdoptRequest): Result<ProcessIdentity> {
  if (process.platform !== 'linux' && pid === undefined) return failed(needsPid(port))
  const row = pid === undefined ? findListeningProcess(port) : findProcess(pid)
  if (row === null) return failed(pid === undefined ? nothingListens(port) : noSuchProcess(pid))
  const isListening =
    process.platform !== 'linux' || listenersOf([row.pid]).some((listener) => listener.port === port)
  if (!isListening) return failed(otherListens(row.pid, port))
  return ok({ pid: row.pid, startTime: row.startTime })
}

const findKnown = (identity: ProcessIdentity, registry: SetRegistry): InstanceRecord | undefined =>
  registry
    .instances()
    .find(
      ({ process, state }) =>
        state !== 'gone' && process?.pid === identity.pid && process.startTime === identity.startTime,
    )

const isRepeat = (known: InstanceRecord, request: AdoptRequest): boolean =>
  known.adopted && known.service === request.service && known.release === request.release

const nothingListens = (port: number): Problem =>
  problem('ADOPT_NOTHING_LISTENS', {
    message: `no process that this agent can see listens on port ${port}`,
    remedy: 'Check the port. A process of another user is visible only to an agent of that user or of root.',
    retryable: true,
  })

const noSuchProcess = (pid: number): Problem =>
  problem('ADOPT_NO_SUCH_PROCESS', {
    message: `no process has the pid ${pid}`,
    remedy: 'Leave the pid out: it is found through the port.',
  })

const otherListens = (pid: number, port: number): Problem =>
  problem('ADOPT_OTHER_LISTENS', {
    message: `process ${pid} does not listen on port ${port}`,
    remedy: 'Leave the pid out: it is found through the port.',
  })

const needsPid = (port: number): Problem =>
  problem('ADOPT_NEEDS_PID', {
    message: `the process behind port ${port} can only be found by itself on Linux`,
    remedy: `Give the pid, for example from: lsof -nP -iTCP:${port} -sTCP:LISTEN`,
  })

const carriedForNobody = (pid: number, port: number): Problem =>
  problem('ADOPT_CONTAINER_HIDDEN', {
    message: `port ${port} is carried by process ${pid} for a container, and this agent can ask no engine that knows it`,
    remedy:
      'Set DOCKER_HOST for the agent to that engine, or give its user the right to use it; then adopt again.',
    retryable: true,
  })

const alreadyOurs = (known: InstanceRecord): Problem =>
  problem('ADOPT_ALREADY_OURS', {
    message: `${known.container === null ? `process ${known.process?.pid}` : `container ${known.container.name}`} is already instance ${known.id} of release ${known.release}`,
    remedy: 'Nothing needs to be adopted. To adopt it under another name, release it first.',
  })

const unhealthy = (request: AdoptRequest, message: string): Problem =>
  problem('ADOPT_UNHEALTHY', {
    message: `the process on port ${request.port} is not healthy: ${message}`,
    remedy: 'Write under health how it reports its health. Nothing was changed.',
    retryable: true,
  })

const notAdopted = (own: InstanceRecord): Problem =>
  problem('RELEASE_NOT_ADOPTED', {
    message: `instance ${own.id} was started by Sluice, so it cannot be let go of`,
    remedy: 'Stop the set instead.',
  })
