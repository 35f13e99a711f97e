import type { ContainerInfo } from 'dockerode'
import type { ContainerSpec } from '../../core/shared/container-spec.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import { isOver } from '../instance-life.ts'
import type { ContainerIdentity, InstanceRecord } from '../instance-record.ts'
import { logPath, sizeOf } from '../log-file.ts'
import { findFreePort } from '../ports.ts'
import { newWatch } from '../watch.ts'
import { type ContainerParts, identityOf, inspect, START_LIMIT_MS } from './container-parts.ts'
import { stateOf } from './container-state.ts'
import type { Fence } from './fence.ts'
import { LABEL, labelsOf, nameOf } from './labels.ts'
import { madeWithImage } from './made-with-image.ts'
import { networkOf, newContainer, type Publication } from './new-container.ts'
import { gatewaysOf, isOwnAddress, placeOf, REACH_VARIABLE, type Reach, reachOf } from './place.ts'
import { ENDED_WITH_ENGINE, startFailure, toldAs } from './start-problem.ts'

type Contained = SetSpec & { container: ContainerSpec }
type StarterParts = ContainerParts & {
  fence: Fence
  isClosed(): boolean
  begun(record: InstanceRecord, container: string): Promise<void>
}
/** What has to be known before the container is made. */
type Prepared = {
  reach: Reach
  published: Publication | null
  secrets: Record<string, string>
  secretFolder: string | null
}

/** Makes and starts the container of one instance; what an earlier start left of it is taken up, or removed. */
export class ContainerStarter {
  readonly #parts: StarterParts

  constructor(parts: StarterParts) {
    this.#parts = parts
  }

  /** `held-up`: for want of the engine; it is to be tried again in a while. */
  async start(id: string, spec: Contained): Promise<'begun' | 'held-up'> {
    const { ledger, secrets, registry } = this.#parts
    const outcome = await this.#start(id, spec)
    if (outcome.kind === 'ok') return 'begun'
    const failure = startFailure(outcome.problem, { spec, name: nameOf(id) })
    const message = secrets.redact(toldAs(failure.problem))
    if (failure.next === 'later')
      ledger.apply(id, { kind: 'held-up', at: Date.now(), message: `${this.#endedWhy(id)}${message}` })
    else ledger.startFailed(id, message, failure.next === 'never')
    registry.save()
    return failure.next === 'later' ? 'held-up' : 'begun'
  }

  /** That it waits for the engine must not hide why it has to start at all. */
  #endedWhy(id: string): string {
    const before = this.#parts.registry.findInstance(id)?.lastProbeFailure?.message ?? ''
    return before.startsWith(ENDED_WITH_ENGINE) ? `${ENDED_WITH_ENGINE}. ` : ''
  }

  async #start(id: string, spec: Contained): Promise<Result<void>> {
    const { registry, ledger, isClosed } = this.#parts
    const record = registry.findInstance(id)
    if (isClosed() || record === undefined || isOver(record)) return ok(undefined)
    const left = await this.#takeUp(record, spec)
    if (left.kind === 'failed' || left.value === 'taken up')
      return left.kind === 'failed' ? left : ok(undefined)
    const prepared = await this.#prepare(record, spec)
    if (prepared.kind === 'failed') return prepared
    const now = registry.findInstance(id)
    if (isClosed() || now === undefined || isOver(now)) return ok(undefined)
    const container = { id: '', name: nameOf(id) }
    ledger.apply(id, {
      kind: 'spawning',
      at: Date.now(),
      port: prepared.value.published?.port ?? 0,
      container,
    })
    // The intent is on the disk before the container exists: whoever finds it can look for it by its labels.
    registry.save()
    return this.#make(now, spec, prepared.value)
  }

  /** Of this instance: a container that runs is it, one that does not is of no more use. */
  async #takeUp(record: InstanceRecord, spec: Contained): Promise<Result<'taken up' | 'nothing left'>> {
    const { fence, ledger } = this.#parts
    const seen = await fence.check(record.service)
    if (seen.kind === 'failed') return seen
    const own = seen.value.filter(({ Labels }) => Labels[LABEL.instance] === record.id)
    const running = own.find(({ State }) => State === 'running')
    for (const { Id } of own) {
      if (Id === running?.Id) continue
      const removed = await this.remove(Id)
      if (removed.kind === 'failed') return removed
    }
    if (running === undefined) return ok('nothing left')
    const container = { id: running.Id, name: nameOf(record.id) }
    ledger.apply(record.id, { kind: 'spawning', at: Date.now(), port: record.port, container })
    const taken = await this.#running(record, spec, { id: running.Id, reach: reachBy(running) })
    return taken.kind === 'failed' ? taken : ok('taken up')
  }

  async #prepare(
    record: InstanceRecord,
    { container, secrets: names }: Contained,
  ): Promise<Result<Prepared>> {
    const { engine, secrets, secretFiles, agentEnv } = this.#parts
    const values = secrets.resolve(names)
    if (values.kind === 'failed') return values
    const network = await engine.ask({ what: `look at network ${networkOf(container)}` }, (docker) =>
      docker.getNetwork(networkOf(container)).inspect(),
    )
    if (network.kind === 'failed') return network
    const owned = await Promise.all(gatewaysOf(network.value).map(isOwnAddress))
    const facts = {
      isLocal: engine.isLocal,
      isGateway: owned.includes(true),
      forced: agentEnv[REACH_VARIABLE],
    }
    const reach = reachOf(container, network.value, facts)
    if (reach.kind === 'failed') return reach
    const published = reach.value === 'published' ? await this.#publication(record) : ok(null)
    if (published.kind === 'failed') return published
    const known = { reach: reach.value, published: published.value, secrets: values.value }
    if (!container.secretFiles || names.length === 0) return ok({ ...known, secretFolder: null })
    if (!engine.isLocal) return failed(secretsElsewhere(engine.where))
    const folder = secretFiles.write(record.id, values.value)
    if (folder.kind === 'failed') return folder
    return ok({ ...known, secretFolder: folder.value })
  }

  /** Here a port is chosen that others are free of; which ones are free on another machine only its engine knows. */
  async #publication(record: InstanceRecord): Promise<Result<Publication>> {
    const { engine } = this.#parts
    const host = await engine.publishesAt()
    if (host.kind === 'failed') return host
    if (host.value !== OWN_HOST) return ok({ host: host.value, port: null })
    return ok({ host: OWN_HOST, port: await findFreePort(record.port, this.#takenPorts(record.id)) })
  }

  async #make(record: InstanceRecord, spec: Contained, prepared: Prepared): Promise<Result<void>> {
    const { engine, registry, agentFolder } = this.#parts
    const { service, release, id } = record
    const owner = { service, release, version: spec.version, instance: id, folder: agentFolder }
    const labels = labelsOf(owner, registry.highestToken(service))
    const wanted = newContainer({ spec, instance: id, labels, ...prepared })
    const call = { what: `make container ${wanted.name}`, limitMs: START_LIMIT_MS }
    const make = (Image: string) => engine.ask(call, (docker) => docker.createContainer({ ...wanted, Image }))
    const made = await madeWithImage(this.#parts, { record, image: spec.container.image, make })
    if (made.kind === 'failed') return made
    if (made.value === null) return ok(undefined)
    const container = made.value.id
    const start = { what: `start container ${wanted.name}`, limitMs: START_LIMIT_MS }
    const started = await engine.ask(start, (docker) => docker.getContainer(container).start())
    if (started.kind === 'failed') {
      // One that is only slow may run by now: the next start takes it up.
      if (!started.problem.retryable) await this.remove(container)
      return started
    }
    return this.#running(record, spec, { id: container, reach: prepared })
  }

  async #running(
    record: InstanceRecord,
    spec: Contained,
    { id, reach }: { id: string; reach: Pick<Prepared, 'reach' | 'published'> },
  ): Promise<Result<void>> {
    const { engine, ledger, logFolder, begun } = this.#parts
    const container: ContainerIdentity = { id, name: nameOf(record.id) }
    Object.assign(ledger.watch(record.id), {
      logStart: sizeOf(logPath(logFolder, record.id)),
      nextProbeAt: 0,
      nextLiveAt: 0,
      wrongPort: newWatch().wrongPort,
      paused: false,
    })
    const seen = await inspect(engine, id, container.name)
    if (seen.kind === 'failed') return seen
    const { network, port } = { network: networkOf(spec.container), port: spec.container.port }
    const place = placeOf(reach.reach, seen.value, { network, port, published: reach.published })
    const state = stateOf(seen.value)
    // It has ended already: its end is noticed like any other, as soon as there is somebody whose end it is.
    const process =
      state.kind === 'running'
        ? identityOf(engine, id, state)
        : { pid: ENDED_PID, startTime: `${seen.value.State.StartedAt} (ended at once)` }
    const where = place ?? { host: reach.published?.host ?? OWN_HOST, port: reach.published?.port ?? 0 }
    ledger.apply(record.id, { kind: 'spawned', at: Date.now(), process, place: { ...where, container } })
    ledger.saveNow()
    await begun(record, id)
    return ok(undefined)
  }

  /** With the volumes that belong to it alone. Somebody else may have been quicker. */
  async remove(container: string): Promise<Result<void>> {
    const call = { what: `remove container ${container.slice(0, 12)}`, limitMs: START_LIMIT_MS }
    const removed = await this.#parts.engine.ask(call, (docker) =>
      docker.getContainer(container).remove({ force: true, v: true }),
    )
    return removed.kind === 'ok' || isGone(removed.problem) ? ok(undefined) : removed
  }

  #takenPorts(except: string): Set<number> {
    const others = this.#parts.registry
      .instances()
      .filter(({ id, state }) => id !== except && state !== 'gone')
    return new Set(others.map(({ port }) => port))
  }
}

/** Where containers of an engine on this machine are published. */
const OWN_HOST = '127.0.0.1'

/** No process has it: the largest that a Linux can give is a little smaller. */
const ENDED_PID = 4_194_305

const isGone = ({ code, cause }: Problem): boolean =>
  code === 'DOCKER_NOT_FOUND' || (code === 'DOCKER_CONFLICT' && /already in progress/i.test(cause ?? ''))

/** How a container is reached that was made before: as it was made then. */
function reachBy({ Ports }: ContainerInfo): Pick<Prepared, 'reach' | 'published'> {
  const found = Ports.find(({ PublicPort }) => PublicPort !== undefined)
  return found === undefined
    ? { reach: 'address', published: null }
    : { reach: 'published', published: { host: found.IP, port: found.PublicPort } }
}

const secretsElsewhere = (where: string): Problem =>
  problem('DOCKER_SECRET_FILES_REMOTE', {
    message: `secrets cannot be given as files to containers of the engine at ${where}: it is another machine, and its disk would keep them`,
    remedy: 'Leave out run.secretFiles, so that they are variables; or run the agent beside that engine.',
  })
