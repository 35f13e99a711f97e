import type { MetricAnswer } from '../../../core/rollout/observation.ts'
import type { FreezeState } from '../../../core/shared/freeze.ts'
import type { Problem } from '../../../core/shared/problem.ts'
import { problem } from '../../../core/shared/problem.ts'
import type { Result } from '../../../core/shared/result.ts'
import { failed, ok } from '../../../core/shared/result.ts'
import type { Freezes } from '../../../ports/freezes.ts'
import type { MetricProvider, MetricReading, MetricSource } from '../../../ports/metric.ts'
import type { Notifier } from '../../../ports/notifier.ts'
import type { ProbeRun, Prober } from '../../../ports/prober.ts'
import type { Router, RouterOf } from '../../../ports/router.ts'
import type { Store } from '../../../ports/store.ts'
import type { Target } from '../../../ports/target.ts'
import { type EffectOracle, partOf } from './effect-oracle.ts'
import type { FreezeBoard } from './freeze-board.ts'
import type { Inbox } from './inbox.ts'
import type { Life } from './life.ts'
import type { Network } from './network.ts'
import { unanswered } from './network.ts'
import type { Plane, Planes } from './planes.ts'
import type { SimulatedProviders } from './providers.ts'
import type { Scheduler } from './scheduler.ts'
import type { StoreSeat } from './store-seat.ts'
import type { SimulatedTarget } from './target.ts'

export type PortParts = {
  life: Life
  scheduler: Scheduler
  network: Network
  seat: StoreSeat
  planes: Planes
  target: SimulatedTarget
  providers: SimulatedProviders
  inbox: Inbox
  freezeBoard: FreezeBoard
  oracle: EffectOracle
}

/** The ports as one life of a controller sees them: the shipped interfaces, over the network, over the world. */
export type LifePorts = {
  store: Store
  routerOf: RouterOf
  target: Target
  provider: MetricProvider
  prober: Prober
  freezes: Freezes
  notifier: (channel: string) => Notifier
  probing: () => number
}

export function createPorts(parts: PortParts): LifePorts {
  const probes = createProber(parts.scheduler)
  const planes = new Map(
    parts.planes.all.map((plane) => [
      plane.name,
      { router: routerPort(parts, plane), counts: metricPort(parts, plane) },
    ]),
  )
  return {
    store: storePort(parts),
    routerOf: (name) => {
      const plane = planes.get(name)
      if (plane === undefined) throw new Error(`there is no ${name} here`)
      return plane
    },
    target: targetPort(parts),
    provider: providerPort(parts),
    prober: probes.prober,
    freezes: freezePort(parts),
    probing: probes.running,
    notifier: (channel) => notifierPort(parts, channel),
  }
}

/** Every method of the store is a call of its own; the seat knows what really happened. */
function storePort({ life, network, seat }: PortParts): Store {
  const over = <A extends unknown[], T>(
    method: string,
    act: (...args: A) => Promise<Result<T>>,
    instead: (...args: A) => Record<string, () => Result<T>> = () => ({}),
  ) => {
    return (...args: A): Promise<Result<T>> =>
      network.call<Result<T>>({
        life,
        part: 'store',
        method,
        about: method === 'append' ? appendBrief(args[0]) : args[0],
        diesWithCaller: !seat.store.shared,
        act: () => act(...args),
        unanswered,
        instead: instead(...args),
      })
  }
  const { store } = seat
  return {
    kind: store.kind,
    shared: store.shared,
    join: over('join', seat.join),
    claim: over('claim', seat.claim),
    renew: over('renew', seat.renew),
    release: over('release', store.release),
    raiseEpoch: over('raiseEpoch', seat.raiseEpoch),
    leases: over('leases', store.leases),
    load: over('load', store.load, (stream) => ({ stale: () => seat.staleLoad(stream) })),
    append: over('append', seat.append, () => ({ conflict: () => failed(conflict()) })),
    streams: over('streams', store.streams),
    events: over('events', store.events),
    putDocument: over('putDocument', store.putDocument),
    getDocument: over('getDocument', store.getDocument),
    listDocuments: over('listDocuments', store.listDocuments),
    pendingMessages: over('pendingMessages', store.pendingMessages),
    settleMessage: over('settleMessage', seat.settle),
    listMessages: over('listMessages', store.listMessages),
    prune: over('prune', store.prune),
    dump: over('dump', store.dump),
    fill: over('fill', store.fill),
    listen: (onChange) =>
      store.listen((stream) => {
        if (network.hints()) life.whenAwake(() => onChange(stream))
      }),
    close: () => store.close(),
  }
}

function appendBrief(request: unknown): unknown {
  const { stream, expectedRevision, epoch, events } = request as Parameters<Store['append']>[0]
  return { stream, expectedRevision, epoch, events: events.map(({ kind }) => kind) }
}

function routerPort({ life, network, oracle }: PortParts, { name, router }: Plane): Router {
  const part = partOf(name)
  return {
    kind: 'simulated',
    reconcile: async () => ok(undefined),
    setRoutes: (routes) => {
      oracle.begins(life, part, routes)
      return network.call<Result<void>>({
        life,
        part: 'router',
        method: 'setRoutes',
        about: {
          ...(name === 'builtin' ? {} : { router: name }),
          token: routes.token,
          sets: routes.sets.map(({ release, weightPermille, instances }) => [
            release,
            weightPermille,
            instances.length,
          ]),
        },
        act: () => oracle.routes(name, routes, () => router.setRoutes(routes)),
        unanswered,
        instead: { half: () => router.halfApply(routes) },
      })
    },
    readState: (service) =>
      network.call({
        life,
        part: 'router',
        method: 'readState',
        about: name === 'builtin' ? service : `${service} at ${name}`,
        act: () => oracle.looked(life, part, service, router.readState(service)),
        unanswered,
      }),
    finalize: (request) =>
      network.call<Result<void>>({
        life,
        part: 'router',
        method: 'finalize',
        about: { router: name, ...request },
        act: () => oracle.finalizes(name, request.service, () => router.finalize(request)),
        unanswered,
      }),
  }
}

function targetPort({ life, network, target, oracle }: PortParts): Target {
  const change = <R extends Parameters<EffectOracle['begins']>[2]>(
    method: 'start' | 'stop',
    request: R,
    act: () => Result<void>,
  ): Promise<Result<void>> => {
    oracle.begins(life, 'target', request)
    return network.call<Result<void>>({
      life,
      part: 'target',
      method,
      about: aboutSet(request),
      act,
      unanswered,
    })
  }
  const none = async (): Promise<Result<never>> => failed(notSimulated())
  return {
    kind: 'simulated',
    reconcile: async () => ok(undefined),
    resolve: none,
    start: (request) =>
      change('start', { ...request, service: request.spec.service }, () =>
        oracle.starts(request, () => target.start(request)),
      ),
    stop: (request) => change('stop', request, () => oracle.stops(request, () => target.stop(request))),
    observe: (service) =>
      network.call({
        life,
        part: 'target',
        method: 'observe',
        about: service,
        act: () => oracle.looked(life, 'target', service, target.observe(service)),
        unanswered,
      }),
    quiesce: none,
    adopt: none,
    release: none,
    logs: none,
    secretVersions: none,
    prune: none,
  }
}

const aboutSet = (request: object): unknown => {
  const { token, release, replicas, spec } = request as Record<string, { release?: string } | undefined>
  return { token, release: release ?? spec?.release, replicas }
}

function metricPort({ life, network, oracle }: PortParts, { name, users }: Plane): MetricSource {
  return {
    kind: 'simulated',
    query: (service) =>
      network.call<MetricAnswer>({
        life,
        part: 'metrics',
        method: 'query',
        about: service,
        act: () => oracle.measured(name, service, users.query(service, life.clock.now())),
        unanswered: (why) => ({ kind: 'failure', at: life.clock.now(), problem: why }),
      }),
  }
}

/** Whoever never answers is given up by the engine. */
function providerPort({ life, network, providers }: PortParts): MetricProvider {
  return {
    kind: 'fake',
    history: 'kept',
    sample: async (request, signal) => {
      const { metric, subject, window } = request
      const answer = await network.call<MetricReading | null>({
        life,
        part: 'metrics',
        method: 'provider',
        about: { metric: metric.name, version: subject.version, window },
        act: () => providers.answer(request),
        unanswered: (why) => ({ kind: 'failure', problem: why, retryAfterMs: null, asked: [], notes: [] }),
      })
      return (
        answer ?? new Promise((resolve) => signal?.addEventListener('abort', () => resolve(NOT_WAITED_FOR)))
      )
    },
  }
}

const NOT_WAITED_FOR: MetricReading = {
  kind: 'failure',
  problem: problem('METRIC_CANCELLED', { message: 'Nobody waits any more.', remedy: 'none' }),
  retryAfterMs: null,
  asked: [],
  notes: [],
}

function freezePort({ life, network, freezeBoard }: PortParts): Freezes {
  return {
    kind: 'simulated',
    read: (environment) =>
      network.call<Result<FreezeState>>({
        life,
        part: 'freezes',
        method: 'read',
        about: environment,
        act: () => ok(freezeBoard.read()),
        unanswered,
      }),
    set: async () => failed(notSimulated()),
  }
}

/** Counts what a real prober would have sent; loses nothing. */
function createProber(scheduler: Scheduler): { prober: Prober; running: () => number } {
  const runs = new Set<ProbeRun>()
  const start: Prober['start'] = ({ intervalMs }) => {
    const began = scheduler.now()
    const run: ProbeRun = {
      totals: () => ({ sent: Math.floor((scheduler.now() - began) / intervalMs), lost: 0 }),
      stop: () => runs.delete(run),
    }
    runs.add(run)
    return run
  }
  return { prober: { kind: 'simulated', start }, running: () => runs.size }
}

function notifierPort({ life, network, inbox }: PortParts, channel: string): Notifier {
  return {
    kind: 'simulated',
    send: (message, key) => {
      inbox.begins(life, channel, key)
      return network
        .call<Result<void>>({
          life,
          part: 'notifier',
          method: 'send',
          about: { channel, key, type: message.type },
          act: () => inbox.arrives(channel, key, message),
          unanswered,
        })
        .then((answer) => {
          if (answer.kind === 'ok') inbox.acknowledged(life, channel, key)
          return answer
        })
    },
  }
}

const conflict = (): Problem =>
  problem('STORE_CONFLICT', { message: 'Somebody else wrote first.', remedy: 'Load again.', retryable: true })
const notSimulated = (): Problem =>
  problem('NOT_SIMULATED', { message: 'The simulation has no such call.', remedy: 'none' })
