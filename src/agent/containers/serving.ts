import type { ContainerInfo } from 'dockerode'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Serving } from '../instance-record.ts'
import { readProc } from '../processes/process-table.ts'
import { identityOf, inspect } from './container-parts.ts'
import { stateOf } from './container-state.ts'
import type { Engine } from './engine.ts'

/** Programs that hold a port on behalf of a container. */
const CARRIERS = /^(docker-proxy|rootlesskit|slirp4netns|pasta|com\.docker)/

/** Whether a listening process only passes on to a container; such a one is never adopted by itself. */
export const isCarrier = (pid: number): boolean => CARRIERS.test(readProc(`${pid}/comm`) ?? '')

/** The container that a process runs in, by its cgroup; `null` for one of the host. */
export const containerAround = (pid: number): string | null =>
  /\b([0-9a-f]{64})\b/.exec(readProc(`${pid}/cgroup`) ?? '')?.[1] ?? null

/** The container with this name or id. */
export async function servingContainer(name: string, port: number, engine: Engine): Promise<Result<Serving>> {
  const seen = await inspect(engine, name, name)
  if (seen.kind === 'failed')
    return seen.problem.code === 'DOCKER_NOT_FOUND' ? failed(noContainer(name)) : seen
  const state = stateOf(seen.value)
  if (state.kind !== 'running' || state.paused) return failed(notRunning(name, seen.value.State.Status))
  const { Ports, Networks } = seen.value.NetworkSettings
  const container = { id: seen.value.Id, name: seen.value.Name.replace(/^\//, '') }
  const process = identityOf(engine, container.id, state)
  const published = Object.values(Ports).some((found) =>
    found?.some(({ HostPort }) => HostPort === String(port)),
  )
  const at = await engine.publishesAt()
  if (at.kind === 'failed') return at
  if (published || seen.value.HostConfig.NetworkMode === 'host')
    return ok({ host: at.value, port, process, container })
  // Its own address is one of the engine's machine.
  if (!engine.isLocal) return failed(nothingPublished(container.name, port))
  const address = Object.values(Networks).find(({ IPAddress }) => IPAddress !== '')?.IPAddress
  if (address === undefined) return failed(nothingPublished(container.name, port))
  return ok({ host: address, port, process, container })
}

/** The container that has this port of the machine published; `null` when none has, or no engine can be asked. */
export async function publishedBy(port: number, engine: Engine): Promise<Result<Serving> | null> {
  const found = await engine.ask({ what: 'list the containers' }, (docker) => docker.listContainers())
  if (found.kind === 'failed') return null
  const owner = found.value.find((one: ContainerInfo) =>
    one.Ports.some(({ PublicPort }) => PublicPort === port),
  )
  return owner === undefined ? null : servingContainer(owner.Id, port, engine)
}

const noContainer = (name: string): Problem =>
  problem('ADOPT_NO_SUCH_CONTAINER', {
    message: `the Docker Engine has no container ${name}`,
    remedy: 'See its name: docker ps. Where only the port is given, the container is found by it.',
  })

const notRunning = (name: string, status: string): Problem =>
  problem('ADOPT_CONTAINER_NOT_RUNNING', {
    message: `container ${name} is ${status}, and only one that serves can be adopted`,
    remedy: `Start it: docker start ${name}; a paused one: docker unpause ${name}.`,
  })

const nothingPublished = (name: string, port: number): Problem =>
  problem('ADOPT_NOT_PUBLISHED', {
    message: `container ${name} has no address that is reached from here, and port ${port} of the engine's machine does not lead to it`,
    remedy: 'Name the published port: docker port NAME.',
  })
