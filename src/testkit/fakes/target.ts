import type { ReleaseErrors } from '../../core/shared/error-signature/report.ts'
import { createErrorScanner } from '../../core/shared/error-signature/scanner.ts'
import { countError, noErrors } from '../../core/shared/error-signature/tally.ts'
import type { ExitStatus, Instance, ProbeFailure } from '../../core/shared/instance.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { SetRequest } from '../../core/shared/set-spec.ts'
import { compareTokens, type FencingToken } from '../../core/shared/token.ts'
import type { AdoptRequest, LogLine, ResolvedArtifact, ResolveRequest, Target } from '../../ports/target.ts'
import { createFakeUse, type FakeUse } from './target-use.ts'

/** What instances of a release do by themselves at the next look; `hang` stays in `starting` until told, `complain` writes two errors. */
type FakeBehaviour = 'ready' | 'fail' | 'hang' | 'complain'
/** Strikes the next call of a method once: `refuse` does nothing, `lose` acts and loses the answer, `delay` waits first. */
type FakeFault =
  | { kind: 'refuse'; problem: Problem }
  | { kind: 'lose' }
  | { kind: 'delay'; until: Promise<void> }
type FakeCall = { method: keyof Target; request: unknown }

export type TargetFake = {
  target: Target
  /** Every call in order, refused ones too. */
  calls: FakeCall[]
  /** Instances as they are, gone ones included. */
  instances(): readonly Instance[]
  /** For instances that start from now on. */
  behave(release: string, behaviour: FakeBehaviour): void
  /** Ends the readiness check of an instance well, or makes an unready one ready again. */
  makeReady(id: string): void
  makeUnready(id: string, message?: string): void
  makeFailed(id: string, message?: string): void
  /** It crashes and stays down until `makeReady`; its crashes count. */
  die(id: string, exit?: Partial<ExitStatus>): void
  /** Dies and is ready again, `times` times. */
  flap(id: string, times: number): void
  /** A line of output; an error in it is counted. */
  write(id: string, line: string): void
  /** What instances use, and whether that is known. */
  use: Pick<FakeUse, 'set' | 'setHost' | 'setKnown'>
  failNext(method: keyof Target, fault: FakeFault): void
  /** From now on nothing answers (or answers again). */
  setReachable(reachable: boolean): void
  /** As after a restart of the agent: a new boot, everything else as before. */
  restart(): void
}

type Memory = {
  boot: number
  nextId: number
  reachable: boolean
  tokens: Map<string, FencingToken>
  instances: Instance[]
  adopted: Set<string>
  behaviours: Map<string, FakeBehaviour>
  faults: Map<keyof Target, FakeFault[]>
  lines: LogLine[]
  artifacts: Map<string, ResolvedArtifact>
  calls: FakeCall[]
  use: FakeUse
  now: () => number
}
type SetName = { service: string; release: string }
type Fenced = SetName & { token: FencingToken }

const FIRST_PORT = 40_000

/** A target in memory that passes the same conformance kit as the real one. Time comes from `now`, nothing happens by itself. */
export function createTargetFake({ now = () => Date.now() }: { now?: () => number } = {}): TargetFake {
  const memory: Memory = {
    boot: 1,
    nextId: 1,
    reachable: true,
    tokens: new Map(),
    instances: [],
    adopted: new Set(),
    behaviours: new Map(),
    faults: new Map(),
    lines: [],
    artifacts: new Map(),
    calls: [],
    use: createFakeUse(),
    now,
  }
  return {
    target: targetOf(memory),
    calls: memory.calls,
    instances: () => memory.instances,
    use: memory.use,
    ...commandsOf(memory),
  }
}

function commandsOf(memory: Memory): Omit<TargetFake, 'target' | 'calls' | 'instances' | 'use'> {
  const makeReady = (id: string) =>
    change(memory, id, {
      state: 'ready',
      readyAt: memory.now(),
      lastProbeFailure: null,
      consecutiveProbeFailures: 0,
    })
  const die = (id: string, exit: Partial<ExitStatus> = {}) => {
    const lastExit: ExitStatus = { code: 1, signal: null, cause: 'exited', at: memory.now(), ...exit }
    const crashes = find(memory, id).crashes + 1
    change(memory, id, { state: 'crashed', pid: null, readyAt: null, crashes, lastExit })
  }
  return {
    makeReady,
    die,
    flap: (id, times) => {
      for (let time = 0; time < times; time += 1) {
        die(id)
        makeReady(id)
      }
    },
    behave: (release, behaviour) => void memory.behaviours.set(release, behaviour),
    makeUnready: (id, message = 'GET /up answered 503') =>
      change(memory, id, { state: 'unready', readyAt: null, ...probeFailure(memory, message) }),
    makeFailed: (id, message = 'GET /up answered 503') =>
      change(memory, id, { state: 'failed', readyAt: null, ...probeFailure(memory, message) }),
    write: (id, line) => write(memory, find(memory, id), line),
    failNext: (method, fault) =>
      void memory.faults.set(method, [...(memory.faults.get(method) ?? []), fault]),
    setReachable: (reachable) => {
      memory.reachable = reachable
    },
    restart: () => {
      memory.boot += 1
      memory.use.restart()
    },
  }
}

function targetOf(memory: Memory): Target {
  const call = <T>(method: keyof Target, request: unknown, act: () => Result<T>) =>
    perform(memory, { method, request }, act)
  return {
    kind: 'fake',
    reconcile: () => call('reconcile', null, () => ok(undefined)),
    resolve: (request) => call('resolve', request, () => ok(resolve(memory, request))),
    start: (request) => call('start', request, () => start(memory, request)),
    observe: (service) => call('observe', service, () => ok(observe(memory, service))),
    quiesce: (request) => call('quiesce', request, () => admit(memory, request)),
    stop: (request) => call('stop', request, () => stop(memory, request)),
    adopt: (request) => call('adopt', request, () => adopt(memory, request)),
    release: (request) => call('release', request, () => letGo(memory, request)),
    logs: (request) => call('logs', request, () => ok(logs(memory, request))),
    secretVersions: (names) =>
      call('secretVersions', names, () =>
        ok(Object.fromEntries(names.map((name) => [name, `version-of-${name}`]))),
      ),
    prune: (keep) => call('prune', keep, () => ok(prune(memory, keep))),
  }
}

async function perform<T>(memory: Memory, made: FakeCall, act: () => Result<T>): Promise<Result<T>> {
  memory.calls.push(made)
  const fault = memory.faults.get(made.method)?.shift()
  if (fault?.kind === 'delay') await fault.until
  if (fault?.kind === 'refuse') return failed(fault.problem)
  if (!memory.reachable) return failed(unreachable())
  const result = act()
  return fault?.kind === 'lose' ? failed(unreachable()) : result
}

function admit(memory: Memory, { service, token }: { service: string; token: FencingToken }): Result<void> {
  const highest = memory.tokens.get(service)
  if (highest !== undefined && compareTokens(token, highest) < 0) return failed(stale(service))
  memory.tokens.set(service, token)
  return ok(undefined)
}

function start(memory: Memory, { token, spec, replicas, without = [] }: SetRequest): Result<void> {
  const admitted = admit(memory, { service: spec.service, token })
  if (admitted.kind === 'failed') return admitted
  for (const instance of membersOf(memory, spec)) if (without.includes(instance.id)) end(memory, instance)
  const wanted = membersOf(memory, spec)
  const surplus = [...wanted].sort(worstFirst).slice(0, Math.max(0, wanted.length - replicas))
  for (const instance of surplus) end(memory, instance)
  for (let count = wanted.length; count < replicas; count += 1) {
    const instance = newInstance(memory, spec)
    memory.instances.push(instance)
    memory.use.started(spec.release)
    write(memory, instance, `hello from ${spec.release}`)
    if (memory.behaviours.get(spec.release) === 'complain')
      for (const order of [1, 2]) write(memory, instance, `ERROR order ${order} is lost`)
  }
  return ok(undefined)
}

const worstFirst = (a: Instance, b: Instance): number =>
  Number(a.state === 'ready') - Number(b.state === 'ready') || b.port - a.port

function stop(memory: Memory, request: Fenced): Result<void> {
  const admitted = admit(memory, request)
  if (admitted.kind === 'failed') return admitted
  for (const instance of membersOf(memory, request)) end(memory, instance)
  return ok(undefined)
}

function adopt(memory: Memory, request: AdoptRequest): Result<Instance> {
  const admitted = admit(memory, request)
  if (admitted.kind === 'failed') return admitted
  const known = membersOf(memory, request).find((instance) => instance.port === request.port)
  if (known !== undefined) return ok(known)
  const made = newInstance(memory, request)
  const pid = request.pid ?? made.pid
  const adopted: Instance = { ...made, port: request.port, pid, state: 'ready', readyAt: memory.now() }
  memory.instances.push(adopted)
  memory.adopted.add(adopted.id)
  return ok(adopted)
}

function letGo(memory: Memory, request: Fenced): Result<void> {
  const admitted = admit(memory, request)
  if (admitted.kind === 'failed') return admitted
  const members = membersOf(memory, request)
  const own = members.find((instance) => !memory.adopted.has(instance.id))
  if (own !== undefined) return failed(notAdopted(own.id))
  memory.instances = memory.instances.filter((instance) => !members.includes(instance))
  return ok(undefined)
}

function observe(memory: Memory, service: string) {
  for (const instance of memory.instances) if (instance.state === 'starting') settle(memory, instance)
  const instances = memory.instances.filter((instance) => instance.service === service)
  const use = memory.use.of(instances, memory.now())
  return {
    at: memory.now(),
    boot: `fake-${memory.boot}`,
    highestToken: memory.tokens.get(service) ?? null,
    instances: structuredClone(instances),
    errors: errorsOf(memory, service),
    ...(use === undefined ? {} : { use }),
  }
}

function write(memory: Memory, { id, release }: Instance, line: string): void {
  memory.lines.push({ instance: id, release, line })
}

/** Counted anew from all that was written, so that it cannot be wrong in a way of its own. */
function errorsOf(memory: Memory, service: string): ReleaseErrors[] {
  const own = memory.instances.filter((one) => one.service === service && !memory.adopted.has(one.id))
  return [...Map.groupBy(own, ({ release }) => release)].map(([release, instances]) =>
    instances
      .flatMap(({ id }) => saidBy(memory, id))
      .reduce((errors, said) => countError(errors, said, memory.now()), noErrors(release)),
  )
}

function saidBy(memory: Memory, id: string) {
  const scanner = createErrorScanner((text) => text)
  const lines = memory.lines.filter(({ instance }) => instance === id)
  return [...lines.flatMap(({ line }) => scanner.read(line)), ...scanner.flush()]
}

function settle(memory: Memory, instance: Instance): void {
  switch (memory.behaviours.get(instance.release) ?? 'ready') {
    case 'hang':
      return
    case 'ready':
    case 'complain':
      change(memory, instance.id, { state: 'ready', readyAt: memory.now() })
      return
    case 'fail':
      change(memory, instance.id, { state: 'failed', ...probeFailure(memory, 'GET /up was refused') })
  }
}

function logs(memory: Memory, request: { service: string; release?: string; lines: number }): LogLine[] {
  const ids = new Set(
    memory.instances
      .filter((one) => one.service === request.service && (request.release ?? one.release) === one.release)
      .map((one) => one.id),
  )
  return memory.lines.filter((line) => ids.has(line.instance)).slice(-request.lines)
}

function resolve(memory: Memory, { artifact, version, kind = 'files' }: ResolveRequest): ResolvedArtifact {
  const name = artifact.replaceAll('{{version}}', version)
  const digest = `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0').slice(-64)}`
  const place =
    kind === 'image'
      ? { folder: '', files: 0, image: `fake@${digest}` }
      : { folder: `/fake/${digest}`, files: 1 }
  const made = { digest, bytes: 1, ...place, warnings: [] }
  memory.artifacts.set(digest, made)
  return made
}

function prune(memory: Memory, keep: readonly string[]): string[] {
  const removed = [...memory.artifacts.keys()].filter((digest) => !keep.includes(digest))
  for (const digest of removed) memory.artifacts.delete(digest)
  return removed
}

const membersOf = (memory: Memory, { service, release }: SetName): Instance[] =>
  memory.instances.filter((one) => one.service === service && one.release === release && one.state !== 'gone')

function end(memory: Memory, instance: Instance): void {
  const lastExit: ExitStatus = { code: null, signal: 'SIGTERM', cause: 'stopped-by-us', at: memory.now() }
  change(memory, instance.id, { state: 'gone', pid: null, readyAt: null, lastExit })
}

function newInstance(memory: Memory, { service, release }: SetName): Instance {
  const number = memory.nextId++
  return {
    id: `${service}-${number}`,
    service,
    release,
    state: 'starting',
    host: '127.0.0.1',
    port: FIRST_PORT + number,
    pid: 1000 + number,
    startedAt: memory.now(),
    readyAt: null,
    crashes: 0,
    consecutiveProbeFailures: 0,
    lastProbeFailure: null,
    lastExit: null,
    logTail: [],
  }
}

function find(memory: Memory, id: string): Instance {
  const found = memory.instances.find((instance) => instance.id === id)
  if (found === undefined) throw new Error(`the fake target has no instance ${id}`)
  return found
}

function change(memory: Memory, id: string, to: Partial<Instance>): void {
  Object.assign(find(memory, id), to)
}

function probeFailure(memory: Memory, message: string) {
  const lastProbeFailure: ProbeFailure = { kind: 'status', message, at: memory.now() }
  return { lastProbeFailure, consecutiveProbeFailures: 3 }
}

const unreachable = (): Problem =>
  problem('TARGET_UNREACHABLE', {
    message: 'the fake target does not answer',
    remedy: 'Wait.',
    retryable: true,
  })
const stale = (service: string): Problem =>
  problem('STALE_TOKEN', {
    message: `a higher token was seen for service ${service}`,
    remedy: 'Stop this controller.',
  })
const notAdopted = (id: string): Problem =>
  problem('RELEASE_NOT_ADOPTED', {
    message: `instance ${id} was not adopted`,
    remedy: 'Stop the set instead.',
  })
