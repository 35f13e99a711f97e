import type { Effect } from '../../core/rollout/due.ts'
import type { ReleaseErrors } from '../../core/shared/error-signature/report.ts'
import { countError, noErrors } from '../../core/shared/error-signature/tally.ts'
import type { CheckResult } from '../../core/shared/health-check.ts'
import type { Instance } from '../../core/shared/instance.ts'
import type { Problem } from '../../core/shared/problem.ts'
import { problem } from '../../core/shared/problem.ts'
import type { SeenUse } from '../../core/shared/resource-use.ts'
import type { FencingToken } from '../../core/shared/token.ts'
import { compareTokens } from '../../core/shared/token.ts'
import { createUseModel, type ModelUse } from './use-model.ts'

/** Time from start to ready, and from stop to gone. */
const START_MS = 2000
const STOP_MS = 500
/** What ended is shown this long, as on a real host. */
const REMEMBER_MS = 60_000

export type Behaviour = 'ready' | 'never-ready' | 'refused'

/** Instances that start, become ready, die and stop in virtual time; fenced as the real target is. */
export function createTargetModel(now: () => number) {
  let instances: Instance[] = []
  let highest: FencingToken | null = null
  let nextId = 1
  const behaviours = new Map<string, Behaviour>()
  const written = new Map<string, ReleaseErrors>()
  const uses = createUseModel(now)
  const checks = new Map<string, CheckResult[]>()

  const start = (release: string): Instance => ({
    id: `${release}-${nextId++}`,
    service: 'shop.local',
    release,
    state: 'starting',
    host: '127.0.0.1',
    port: 40_000 + nextId,
    pid: 1000 + nextId,
    startedAt: now(),
    readyAt: null,
    crashes: 0,
    consecutiveProbeFailures: 0,
    lastProbeFailure: null,
    lastExit: null,
    logTail: [],
  })
  const change = (match: (one: Instance) => boolean, to: (one: Instance) => Partial<Instance>): void => {
    instances = instances.map((one) => (match(one) ? { ...one, ...to(one) } : one))
  }
  const isOver = ({ state }: Instance): boolean => state === 'stopping' || state === 'gone'
  const exit = (cause: 'exited' | 'stopped-by-us' | 'oom' | 'unknown') => ({
    code: 1,
    signal: null,
    cause,
    at: now(),
  })

  const lingering = new Set<string>()

  function perform(effect: Effect): Problem | null {
    if (highest !== null && compareTokens(effect.token, highest) < 0)
      return problem('STALE_TOKEN', { message: 'an older token', remedy: 'none' })
    highest = effect.token
    return obey(effect)
  }

  function obey(effect: Effect): Problem | null {
    switch (effect.kind) {
      case 'set-routes':
      case 'finalize':
      case 'go-back':
      case 'verify':
        return null
      case 'start-set': {
        const { release } = effect
        if (behaviours.get(release) === 'refused')
          return problem('START_REFUSED', { message: `${release} has no program`, remedy: 'Build it.' })
        const leave = (of: (one: Instance) => boolean): void =>
          change(
            (one) => one.release === release && !isOver(one) && of(one),
            () => ({ state: 'stopping', lastExit: exit('stopped-by-us') }),
          )
        leave(({ id }) => effect.without.includes(id))
        const present = instances.filter((one) => one.release === release && !isOver(one))
        const surplus = present.slice(effect.replicas).map(({ id }) => id)
        leave(({ id }) => surplus.includes(id))
        const living = present.length
        for (let count = living; count < effect.replicas; count += 1)
          instances = [...instances, start(release)]
        return null
      }
      case 'adopt-set':
        if (instances.some((one) => one.release === effect.release && one.state !== 'gone')) return null
        instances = [
          ...instances,
          { ...start(effect.release), state: 'ready', readyAt: now(), port: effect.adoption.port },
        ]
        return null
      case 'stop-set':
        change(
          (one) => one.release === effect.release && !isOver(one),
          () => ({ state: 'stopping', lastExit: exit('stopped-by-us') }),
        )
        return null
      case 'release-set':
        instances = instances.filter((one) => one.release !== effect.release)
        return null
    }
  }

  function tick(): void {
    const t = now()
    const isUp = (one: Instance): boolean =>
      (behaviours.get(one.release) ?? 'ready') === 'ready' && t - one.startedAt >= START_MS
    change(
      (one) => one.state === 'starting' && isUp(one),
      () => ({ state: 'ready', readyAt: t }),
    )
    change(
      (one) =>
        one.state === 'stopping' && !lingering.has(one.release) && t - (one.lastExit?.at ?? 0) >= STOP_MS,
      () => ({ state: 'gone', pid: null }),
    )
    change(
      (one) => one.state === 'stopping' && t < (one.lastExit?.at ?? 0),
      () => ({ state: 'gone', pid: null }),
    )
    instances = instances.filter((one) => one.state !== 'gone' || t - (one.lastExit?.at ?? 0) < REMEMBER_MS)
    uses.tick(instances.filter((one) => !isOver(one)))
  }

  const probeFailure = () => ({ kind: 'status' as const, message: 'GET /up answered 503', at: now() })
  const aliveOf = (release: string) => (one: Instance) => one.release === release && !isOver(one)

  return {
    perform,
    /** The highest sequence that was obeyed. */
    obeyed: (): number | undefined => highest?.sequence,
    tick,
    instances: (): Instance[] =>
      instances.map((one) => {
        const known = one.state === 'ready' ? checks.get(one.release) : undefined
        return known === undefined ? one : { ...one, checks: known }
      }),
    /** What its instances say about a named check from now on. */
    check: (release: string, result: Omit<CheckResult, 'since' | 'kind'>): unknown =>
      checks.set(release, [
        ...(checks.get(release) ?? []).filter(({ name }) => name !== result.name),
        { ...result, kind: 'dependency', since: now() },
      ]),
    /** What they use; nothing as long as nobody said what. */
    use: (): SeenUse | undefined => uses.seen(instances.filter((one) => !isOver(one))),
    consume: (release: string, use: Partial<ModelUse>): void => uses.set(release, use),
    /** Whether the target can tell, once somebody said what is used. */
    tellUse: (can: boolean): void => uses.tell(can),
    /** Of the busiest disk of the host, in percent; `null`: the host does not tell. */
    busyDisk: (percent: number | null): void => uses.busyDisk(percent),
    /** What instances of each release wrote, none included. */
    errors: (): ReleaseErrors[] =>
      [...new Set(instances.map(({ release }) => release))].map(
        (release) => written.get(release) ?? noErrors(release),
      ),
    /** Its instances write an error. */
    say: (release: string, text: string): unknown =>
      written.set(
        release,
        countError(written.get(release) ?? noErrors(release), { text, example: text }, now()),
      ),
    behave: (release: string, behaviour: Behaviour): unknown => behaviours.set(release, behaviour),
    /** Its instances take for ever to stop. */
    lingers: (release: string): unknown => lingering.add(release),
    /** They have stopped, as others do. */
    endLingering: (release: string): unknown => lingering.delete(release),
    /** They crash and wait for their back-off; `restart` brings them back. */
    crash: (
      release: string,
      count = Number.POSITIVE_INFINITY,
      cause: 'exited' | 'unknown' = 'exited',
    ): void => {
      const ids = new Set(
        instances
          .filter(aliveOf(release))
          .slice(0, count)
          .map(({ id }) => id),
      )
      change(
        ({ id }) => ids.has(id),
        (one) => ({ state: 'crashed', crashes: one.crashes + 1, pid: null, lastExit: exit(cause) }),
      )
    },
    /** One of them is killed for want of memory, as its control group tells. */
    starve: (release: string): void => {
      const [first] = instances.filter(aliveOf(release))
      change(
        ({ id }) => id === first?.id,
        (one) => ({ state: 'crashed', crashes: one.crashes + 1, pid: null, lastExit: exit('oom') }),
      )
    },
    restart: (release: string): void =>
      change(
        (one) => one.release === release && one.state === 'crashed',
        () => ({ state: 'starting', startedAt: now(), pid: 7 }),
      ),
    unready: (release: string): void =>
      change(
        (one) => one.release === release && one.state === 'ready',
        () => ({ state: 'unready', consecutiveProbeFailures: 1, lastProbeFailure: probeFailure() }),
      ),
    ready: (release: string): void =>
      change(
        (one) => one.release === release && one.state === 'unready',
        () => ({ state: 'ready', consecutiveProbeFailures: 0, lastProbeFailure: null }),
      ),
    fail: (release: string): void =>
      change(
        (one) => aliveOf(release)(one),
        () => ({ state: 'failed', lastProbeFailure: probeFailure(), logTail: ['cannot open the database'] }),
      ),
  }
}
