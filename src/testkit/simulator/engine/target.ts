import type { ReleaseErrors } from '../../../core/shared/error-signature/report.ts'
import type { NamedCheck } from '../../../core/shared/health-check.ts'
import type { Instance } from '../../../core/shared/instance.ts'
import type { Observation } from '../../../core/shared/observation.ts'
import type { Problem } from '../../../core/shared/problem.ts'
import { problem } from '../../../core/shared/problem.ts'
import type { ResourceUse } from '../../../core/shared/resource-use.ts'
import type { Result } from '../../../core/shared/result.ts'
import { failed, ok } from '../../../core/shared/result.ts'
import type { SetRequest } from '../../../core/shared/set-spec.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import { compareTokens } from '../../../core/shared/token.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** What the instances of a release do after they were started; `slow` ones take a little longer than they may. */
export type Behaviour = 'ready' | 'slow' | 'never-ready' | 'crash-loop' | 'refused'

const BACK_OFF_MS = 700
const SLOW_MS = 300
/** What ended is shown this long. */
const REMEMBER_MS = 5000
const FIRST_PORT = 40_000
/** What every release writes, and how often; some write a kind of their own. */
const WRITES_EVERY_MS = 700

type Held = { instance: Instance; deadlineMs: number; checks: readonly NamedCheck[] }
type SetName = { service: string; release: string }

/** Instances that start, become ready, die and stop in virtual time. Fenced as the real host agent is. */
export type SimulatedTarget = {
  start(request: SetRequest): Result<void>
  stop(request: SetName & { token: FencingToken }): Result<void>
  observe(service: string): Result<Observation>
  behave(release: string, behaviour: Behaviour): void
  /** Some of the living crash and come back after a rest. */
  crash(release: string, count: number): void
  /** Ready ones fail their checks for a while. */
  flap(release: string, forMs: number): void
  /** One ready instance does so, if there is another one. */
  limp(release: string, forMs: number): void
  /** All of it, as after a restart of the host. */
  reboot(): void
  /** Everything is as good as it can be from here on. */
  heal(): void
  instances(service: string): readonly Instance[]
  /** Instances by id that ever were ready. */
  wasReady(id: string): boolean
  highest(service: string): FencingToken | null
}

export function createTarget(
  scheduler: Scheduler,
  { random, wallNow }: { random: Random; wallNow: () => number },
): SimulatedTarget {
  const held = new Map<string, Held>()
  const everReady = new Set<string>()
  const tokens = new Map<string, FencingToken>()
  const behaviours = new Map<string, Behaviour>()
  const writesSince = new Map<string, number>()
  let boot = 1
  let isHealed = false
  let nextId = 1

  const of = ({ service, release }: SetName): Held[] =>
    [...held.values()].filter(
      ({ instance }) => instance.service === service && instance.release === release && !isLeaving(instance),
    )
  const change = (id: string, to: Partial<Instance>): void => {
    const found = held.get(id)
    if (found !== undefined) found.instance = { ...found.instance, ...to }
  }

  function admit(service: string, token: FencingToken): Result<void> {
    const highest = tokens.get(service)
    if (highest !== undefined && compareTokens(token, highest) < 0) return failed(stale(service))
    tokens.set(service, token)
    return ok(undefined)
  }

  function begin(id: string): void {
    const found = held.get(id)
    if (found === undefined || isLeaving(found.instance)) return
    change(id, { state: 'starting', startedAt: wallNow(), pid: 1000 + nextId, readyAt: null })
    const behaviour = behaviours.get(found.instance.release) ?? 'ready'
    if (behaviour === 'crash-loop') scheduler.after(random.int(50, 400), () => crashOne(id))
    else if (behaviour === 'never-ready')
      scheduler.after(found.deadlineMs, () => {
        if (held.get(id)?.instance.state !== 'starting') return
        change(id, { state: 'failed', ...probeFailure(wallNow()), logTail: ['cannot open the database'] })
      })
    else if (behaviour === 'slow') scheduler.after(found.deadlineMs + SLOW_MS, () => ready(id))
    else scheduler.after(random.int(100, 900), () => ready(id))
  }

  function ready(id: string): void {
    const state = held.get(id)?.instance.state
    if (state !== 'starting' && state !== 'unready' && state !== 'failed') return
    everReady.add(id)
    change(id, { state: 'ready', readyAt: wallNow(), consecutiveProbeFailures: 0, lastProbeFailure: null })
  }

  function crashOne(id: string): void {
    const found = held.get(id)
    if (found === undefined || isLeaving(found.instance) || found.instance.state === 'crashed') return
    const lastExit = { code: 1, signal: null, cause: 'exited' as const, at: wallNow() }
    const crashes = found.instance.crashes + 1
    change(id, { state: 'crashed', crashes, pid: null, readyAt: null, lastExit })
    scheduler.after(BACK_OFF_MS * Math.min(4, crashes), () => {
      if (held.get(id)?.instance.state === 'crashed') begin(id)
    })
  }

  function end(id: string): void {
    const lastExit = { code: null, signal: 'SIGTERM', cause: 'stopped-by-us' as const, at: wallNow() }
    change(id, { state: 'stopping', readyAt: null, lastExit })
    scheduler.after(random.int(50, 800), () => {
      change(id, { state: 'gone', pid: null })
      scheduler.after(REMEMBER_MS, () => held.delete(id))
    })
  }

  function start({ token, spec, replicas, without = [] }: SetRequest): Result<void> {
    const admitted = admit(spec.service, token)
    if (admitted.kind === 'failed') return admitted
    if (behaviours.get(spec.release) === 'refused')
      return failed(
        problem('START_REFUSED', { message: `${spec.release} has no program.`, remedy: 'Build it.' }),
      )
    if (!writesSince.has(spec.release)) writesSince.set(spec.release, scheduler.now())
    for (const { instance } of of(spec)) if (without.includes(instance.id)) end(instance.id)
    const living = of(spec)
    for (const { instance } of [...living].sort(readyFirst).slice(replicas)) end(instance.id)
    for (let count = living.length; count < replicas; count += 1) {
      const instance = newInstance(spec, nextId++, wallNow())
      const { deadlineMs, checks = [] } = spec.health
      held.set(instance.id, { instance, deadlineMs, checks })
      begin(instance.id)
    }
    return ok(undefined)
  }

  const everyone = (release: string): Held[] =>
    [...held.values()].filter(({ instance }) => instance.release === release && !isLeaving(instance))

  const readyOnes = (release: string): Held[] =>
    everyone(release).filter(({ instance }) => instance.state === 'ready')

  function ail(id: string, forMs: number): void {
    change(id, { state: 'unready', ...probeFailure(wallNow()) })
    scheduler.after(forMs, () => held.get(id)?.instance.state === 'unready' && ready(id))
  }

  return {
    start,
    stop: (request) => {
      const admitted = admit(request.service, request.token)
      if (admitted.kind === 'ok') for (const { instance } of of(request)) end(instance.id)
      return admitted
    },
    observe: (service) =>
      ok({
        at: wallNow(),
        boot: `target-${boot}`,
        highestToken: tokens.get(service) ?? null,
        instances: [...held.values()]
          .filter(({ instance }) => instance.service === service)
          .map(({ instance, checks }) => ({
            ...instance,
            logTail: [...instance.logTail],
            ...checksOf(instance, checks, {
              isAway: !isHealed && isAwayAt(scheduler.now()),
              wallNow: wallNow(),
            }),
          })),
        errors: [...new Set([...held.values()].map(({ instance }) => instance.release))].map((release) =>
          errorsOf(release, scheduler.now() - (writesSince.get(release) ?? 0)),
        ),
        use: useOf(
          [...held.values()].map(({ instance }) => instance).filter((one) => one.service === service),
          {
            measuredAt: wallNow(),
            forMs: scheduler.now(),
          },
        ),
      }),
    behave: (release, behaviour) => behaviours.set(release, behaviour),
    crash: (release, count) => {
      for (const { instance } of everyone(release).slice(0, count)) crashOne(instance.id)
    },
    flap: (release, forMs) => {
      for (const { instance } of readyOnes(release)) ail(instance.id, forMs)
    },
    limp: (release, forMs) => {
      const [first, second] = readyOnes(release)
      if (first !== undefined && second !== undefined) ail(first.instance.id, forMs)
    },
    reboot: () => {
      boot += 1
      for (const { instance } of held.values()) crashOne(instance.id)
    },
    heal: () => {
      behaviours.clear()
      isHealed = true
      for (const { instance } of held.values()) {
        if (instance.state === 'unready' || instance.state === 'failed') ready(instance.id)
        if (instance.state === 'starting') scheduler.after(random.int(100, 400), () => ready(instance.id))
      }
    },
    instances: (service) =>
      [...held.values()].map(({ instance }) => instance).filter((one) => one.service === service),
    wasReady: (id) => everReady.has(id),
    highest: (service) => tokens.get(service) ?? null,
  }
}

/** What all versions need is away for a while, again and again: follows from the time alone, so that it draws no chance. */
const AWAY_EVERY_MS = 9000
const AWAY_MS = 3000
const isAwayAt = (now: number): boolean => now % AWAY_EVERY_MS < AWAY_MS
/** After its start, until an instance was asked for the first time. */
const FIRST_ASKED_MS = 400

function checksOf(
  { state, readyAt }: Instance,
  checks: readonly NamedCheck[],
  { isAway, wallNow }: { isAway: boolean; wallNow: number },
): Pick<Instance, 'checks'> {
  if (state !== 'ready' || checks.length === 0) return {}
  const isAsked = readyAt !== null && wallNow - readyAt >= FIRST_ASKED_MS
  return {
    checks: checks.map(({ name, kind, onFailure }) => ({
      name,
      kind,
      onFailure,
      state: isAsked ? (isAway ? 'failing' : 'passing') : 'unknown',
      since: 0,
      message: isAsked && isAway ? 'a TCP connection to db:5432 was refused' : null,
    })),
  }
}

/** Follows from the name of the release and from the time alone, so that it draws no chance. */
function errorsOf(release: string, forMs: number): ReleaseErrors {
  const count = Math.floor(forMs / WRITES_EVERY_MS)
  const own = letters(release)
  const signatures = [
    { template: 'the cache is cold', count },
    { template: `${'abcde'.charAt(own % 5)} is broken`, count: own % 2 === 0 ? Math.floor(count / 3) : 0 },
  ]
    .filter((one) => one.count > 0)
    .map((one) => ({ ...one, example: one.template, firstAt: 0, lastAt: one.count }))
  return { release, signatures, others: 0, lostBytes: 0 }
}

/** Some releases keep nearly all of the host busy. Follows from name and time alone, too. */
function useOf(
  instances: readonly Instance[],
  { measuredAt, forMs }: { measuredAt: number; forMs: number },
): ResourceUse {
  const releases = [...Map.groupBy(instances, ({ release }) => release)].map(([release, own]) => {
    const running = own.filter(({ pid }) => pid !== null).length
    const cpus = letters(release) % 7 === 4 ? 1.8 : 0.1
    return {
      ...{ release, instances: running, cpuMs: Math.round(forMs * cpus) },
      ...{ memoryBytes: running * 1000, largestMemoryBytes: running === 0 ? 0 : 1000 },
      ...{ diskReadBytes: 0, diskWrittenBytes: Math.round(forMs) },
    }
  })
  const host = { cpus: 2, memoryBytes: 1_000_000, diskBusyMs: Math.round(forMs / 10) }
  return { measuredAt, host, releases }
}

const letters = (name: string): number => [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)

const isLeaving = ({ state }: Instance): boolean => state === 'stopping' || state === 'gone'
const readyFirst = (a: Held, b: Held): number =>
  Number(b.instance.state === 'ready') - Number(a.instance.state === 'ready')

const newInstance = ({ service, release }: SetName, number: number, at: number): Instance => ({
  id: `${release}-${number}`,
  service,
  release,
  state: 'starting',
  host: '127.0.0.1',
  port: FIRST_PORT + (number % 20_000),
  pid: 1000 + number,
  startedAt: at,
  readyAt: null,
  crashes: 0,
  consecutiveProbeFailures: 0,
  lastProbeFailure: null,
  lastExit: null,
  logTail: [],
})

const probeFailure = (at: number) => ({
  consecutiveProbeFailures: 3,
  readyAt: null,
  lastProbeFailure: { kind: 'status' as const, message: 'GET /up answered 503', at },
})

const stale = (service: string): Problem =>
  problem('STALE_TOKEN', {
    message: `A higher token was seen for ${service}.`,
    remedy: 'Stop this controller.',
  })
