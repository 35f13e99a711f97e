import type { ServiceSettings } from '../../core/release/settings.ts'
import type { Command, Observed, SeenRouter } from '../../core/rollout/command.ts'
import { decide } from '../../core/rollout/decide.ts'
import type { Change, Verification } from '../../core/rollout/due.ts'
import { due } from '../../core/rollout/due.ts'
import type { Event, EventOf } from '../../core/rollout/event.ts'
import { evolve } from '../../core/rollout/evolve.ts'
import { formerRouters } from '../../core/rollout/former-router.ts'
import { type MetricQuestion, metricQuestions } from '../../core/rollout/metrics/metric-due.ts'
import type { MetricSide } from '../../core/rollout/metrics/metric-state.ts'
import type { MetricAnswer } from '../../core/rollout/observation.ts'
import type { Actor } from '../../core/rollout/reason.ts'
import { ENGINE } from '../../core/rollout/reason.ts'
import { servingRouters } from '../../core/rollout/router-in.ts'
import type { Adoption, Order, ServiceState } from '../../core/rollout/state.ts'
import { newServiceState } from '../../core/rollout/state.ts'
import { countsTogether } from '../../core/rollout/together.ts'
import type { Freeze, FreezeState } from '../../core/shared/freeze.ts'
import { NEVER_FROZEN } from '../../core/shared/freeze.ts'
import type { Problem } from '../../core/shared/problem.ts'
import { problem } from '../../core/shared/problem.ts'
import type { Result } from '../../core/shared/result.ts'
import type { RouterName } from '../../core/shared/router-ability.ts'
import type { VerifyMoment } from '../../core/shared/verification.ts'
import type { FakeOutcome } from '../fakes/verifier.ts'
import type { InvariantMemory } from './invariants.ts'
import { brokenInvariant, survivesStorage } from './invariants.ts'
import { createRouterModel } from './router-model.ts'
import { simulatedPlan, simulatedSettings } from './settings.ts'
import { createTargetModel } from './target-model.ts'

const START_OF_TIME_MS = 1_700_000_000_000
const LOOK_MS = 500
const ADA: Actor = { kind: 'person', name: 'ada' }

/** What the provider of a declared metric says about one version; `null`: it has not answered yet. */
export type AnswerMetric = (question: MetricQuestion, version: string) => MetricSide | null

export type World = ReturnType<typeof createWorld>
/** Strikes the answer of the next effect: the effect happens, its answer is lost, or comes twice. */
export type AnswerFault = 'lost' | 'doubled'
type DeployOptions = {
  now?: boolean
  wait?: boolean
  /** Not before so many ms from now. */
  inMs?: number
  kind?: 'deploy' | 'full' | 'rollback'
  order?: Order
  adoption?: Adoption
  settings?: ServiceSettings
  /** The same id again is the same request again. */
  id?: string
}

/**
 * A whole deployment in memory and virtual time: the pure core decides, small models of target, router and numbers
 * answer. Invariants are checked after every event, and the state goes through storage after every command.
 */
export function createWorld({
  settings = simulatedSettings(),
  requestsPerSecond = 200,
}: {
  settings?: ServiceSettings
  requestsPerSecond?: number
} = {}) {
  let now = START_OF_TIME_MS
  let state: ServiceState = newServiceState('shop.local')
  let epoch = 0
  let nextRollout = 1
  let metrics: 'samples' | 'no-data' | 'failure' = 'samples'
  let answerMetric: AnswerMetric = () => null
  let findChecks: (moment: VerifyMoment) => FakeOutcome = () => 'passes'
  let freeze: FreezeState = NEVER_FROZEN
  let freezesReachable = true
  let targetReachable = true
  let routerReachable = true
  let answerFaults: AnswerFault[] = []
  const events: Event[] = []
  const memory: InvariantMemory = { sequence: 0, outcomes: new Map() }
  const target = createTargetModel(() => now)
  const router = createRouterModel()
  const routers = {
    builtin: router,
    haproxy: createRouterModel('haproxy'),
    nginx: createRouterModel('nginx'),
  }
  /** Users come by the addresses of the routers that are decided on, at each as many. */
  const serve = (requests: number): void => {
    const names = servingRouters(state.traffic)
    for (const name of names) routers[name].serve(requests / names.length)
  }

  function send(command: Command): Result<Event[]> {
    const decided = decide(state, command, now)
    if (decided.kind === 'failed') return decided
    for (const event of decided.value) {
      const after = evolve(state, event)
      const broken = brokenInvariant(memory, { before: state, event, after })
      if (broken !== null) throw new Error(`${broken}\n${history(events, now)}`)
      events.push(event)
      state = after
    }
    if (decided.value.length === 0) return decided
    const unfit = survivesStorage(state)
    if (unfit !== null) throw new Error(unfit)
    return decided
  }

  const unreachable = (what: string): Problem =>
    problem(`${what}_UNREACHABLE`, {
      message: `no answer from the ${what.toLowerCase()}`,
      remedy: 'Wait.',
      retryable: true,
    })

  function observation(): Observed {
    const answer = (name: RouterName): MetricAnswer => {
      if (routers[name].isSilent()) return { kind: 'failure', at: now, problem: unreachable('METRICS') }
      if (metrics === 'samples') return { kind: 'samples', at: now, counts: routers[name].counts() }
      return metrics === 'no-data'
        ? { kind: 'no-data', at: now }
        : { kind: 'failure', at: now, problem: unreachable('METRICS') }
    }
    return {
      instances: targetReachable
        ? {
            kind: 'seen',
            instances: target.instances(),
            errors: target.errors(),
            use: target.use(),
            obeyed: target.obeyed(),
          }
        : { kind: 'failed', problem: unreachable('TARGET') },
      router: seenAt(state.traffic.router),
      ...(state.traffic.also.length === 0
        ? {}
        : { also: state.traffic.also.map((router) => ({ router, seen: seenAt(router) })) }),
      ...(routerReachable ? { former: formerStates() } : {}),
      metrics: countsTogether(
        { router: state.traffic.router, answer: answer(state.traffic.router) },
        state.traffic.also.map((router) => ({ router, answer: answer(router) })),
      ),
      freeze: freezesReachable
        ? { kind: 'seen', state: freeze }
        : { kind: 'failed', problem: unreachable('FREEZES') },
      probes: { sent: 0, lost: 0 },
    }
  }

  const seenAt = (name: RouterName): SeenRouter =>
    routerReachable && !routers[name].isSilent()
      ? { kind: 'seen', state: routers[name].state() }
      : { kind: 'failed', problem: unreachable('ROUTER') }

  const formerStates = (): NonNullable<Observed['former']> =>
    formerRouters(state.traffic)
      .filter((name) => !routers[name].isSilent())
      .map((name) => ({ router: name, state: routers[name].state() }))

  const act = (effect: Change): Problem | null => {
    if (effect.kind === 'go-back') return goBack()
    if (effect.kind === 'set-routes' || effect.kind === 'finalize')
      return seenAt(effect.router).kind === 'seen'
        ? routers[effect.router].perform(effect)
        : unreachable('ROUTER')
    return targetReachable ? target.perform(effect) : unreachable('TARGET')
  }

  /** The rollback that the light watch asks for, ordered as the controller does it. */
  function goBack(): Problem | null {
    const version = state.previous[0]?.version ?? ''
    const plan = simulatedPlan(state, { version, settings, kind: 'rollback', now })
    const rollout = {
      ...{ id: `rollout-${nextRollout++}`, order: 'rollback' as const, plan, settings, actor: ENGINE },
      ...{ note: '', at: now, adoption: null, notBefore: null, baseline: null },
    }
    const decided = send({ kind: 'go-back', rollout })
    return decided.kind === 'ok' ? null : decided.problem
  }

  /** Checks take no time here, unless they are told to last. */
  function makeChecks({ rollout, index, url, checks, moment }: Verification): void {
    const finding = findChecks(moment)
    if (finding === 'lasts') return
    const passed = finding === 'passes'
    const results = checks.map(({ name }) => ({ name, passed, text: `it ${finding}`, tookMs: 5 }))
    send({ kind: 'verified', underEpoch: epoch, rollout, index, report: { url, results } })
  }

  function performDue(): void {
    for (const effect of due(state)) {
      if (effect.kind === 'verify') {
        makeChecks(effect)
        continue
      }
      const trouble = act(effect)
      const fault = answerFaults.shift()
      const answer: Command =
        trouble === null
          ? { kind: 'effect-succeeded', effect: effect.key, epoch: effect.token.epoch }
          : { kind: 'effect-failed', effect: effect.key, problem: trouble }
      if (fault === 'lost') continue
      send(answer)
      if (fault === 'doubled') send(answer)
    }
  }

  function askMetrics(): void {
    for (const question of metricQuestions(state, now)) {
      const { window, rollout, metric } = question
      const candidate = window && answerMetric(question, question.candidate.version)
      const stable = window && answerMetric(question, question.stable.version)
      if (window === null || candidate === null || stable === null) continue
      const sample = { window, candidate, stable }
      send({ kind: 'metric-sampled', underEpoch: epoch, rollout, metric: metric.name, sample })
    }
  }

  function look(): Result<Event[]> {
    const decided = send({ kind: 'observed', observation: observation() })
    askMetrics()
    performDue()
    return decided
  }

  /** Time goes by: requests flow, instances come and go, and the controller looks. */
  function pass(ms: number): void {
    for (const end = now + ms; now < end; ) {
      const step = Math.min(LOOK_MS, end - now)
      now += step
      serve((requestsPerSecond * step) / 1000)
      target.tick()
      look()
    }
  }

  function passUntil(reached: (world: ServiceState) => boolean, limitMs = 600_000): void {
    for (const end = now + limitMs; !reached(state); pass(LOOK_MS))
      if (now >= end) throw new Error(`never reached:\n${history(events, now)}`)
  }

  function deploy(
    version: string,
    {
      now: endWatch = false,
      wait = true,
      inMs,
      kind = 'deploy',
      adoption,
      settings: own = settings,
      id,
      order,
    }: DeployOptions = {},
  ): Result<Event[]> {
    const plan = simulatedPlan(state, { version, settings: own, kind, now })
    const rollout = {
      id: id ?? `rollout-${nextRollout++}`,
      order: order ?? (kind === 'rollback' ? ('rollback' as const) : ('deploy' as const)),
      plan,
      settings: own,
      actor: ADA,
      note: '',
      at: now,
      adoption: adoption ?? null,
      notBefore: inMs === undefined ? null : now + inMs,
      baseline: null,
    }
    const decided = send({ kind: 'deploy', rollout, now: endWatch, wait })
    performDue()
    return decided
  }

  function byHand(
    kind: 'pause' | 'resume' | 'abort' | 'rollback' | 'unadopt' | 'promote' | 'promote-full',
  ): Result<Event[]> {
    const said = { actor: ADA, note: '' }
    const decided =
      kind === 'promote' || kind === 'promote-full'
        ? send({ kind: 'promote', full: kind === 'promote-full', ...said })
        : send({ kind, ...said })
    performDue()
    return decided
  }

  /** Somebody freezes the environment, or lifts it with `null`; seen at the next look. */
  function setFreeze(change: Partial<Freeze> | null): void {
    const frozen = { reason: 'year end', who: 'bob', since: now, until: null, ...change }
    freeze = { freeze: change === null ? null : frozen, asOf: freeze.asOf + 1, by: 'bob' }
  }

  /** Lifts what past failures hold back. */
  function lift(command: 'close-breaker' | { unblock: string }): Result<Event[]> {
    const said = { actor: ADA, note: 'looked into' }
    return command === 'close-breaker'
      ? send({ kind: 'close-breaker', ...said })
      : send({ kind: 'unblock', release: command.unblock, ...said })
  }

  function discard(release: string | null = null): Result<Event[]> {
    const decided = send({ kind: 'discard', release, actor: ADA, note: '' })
    performDue()
    return decided
  }

  /** The controller dies, and a new one with a higher epoch reads the stored state. Nobody looked for `downMs`. */
  function restartController(downMs = 0): void {
    for (const end = now + downMs; now < end; ) {
      const step = Math.min(LOOK_MS, end - now)
      now += step
      serve((requestsPerSecond * step) / 1000)
      target.tick()
    }
    state = JSON.parse(JSON.stringify(state))
    epoch += 1
    send({ kind: 'controller-started', epoch })
    performDue()
  }

  restartController()
  return {
    target,
    router,
    routers,
    send,
    /** What would be decided, without deciding it. */
    decide: (command: Command): Result<Event[]> => decide(state, command, now),
    look,
    pass,
    passUntil,
    deploy,
    byHand,
    lift,
    discard,
    restartController,
    observation,
    state: (): ServiceState => state,
    now: (): number => now,
    events: (): readonly Event[] => events,
    eventsOf: <K extends Event['kind']>(kind: K): EventOf<K>[] =>
      events.filter((event): event is EventOf<K> => event.kind === kind),
    outcomes: (): string[] => [...memory.outcomes.values()],
    weightOf: (version: string): number => router.weights()[`${version}-r`] ?? 0,
    setMetrics: (to: typeof metrics): void => {
      metrics = to
    },
    /** Requests per second from now on. */
    /** How checks come out from now on. */
    setChecks: (to: typeof findChecks): void => {
      findChecks = to
    },
    setTraffic: (perSecond: number): void => {
      requestsPerSecond = perSecond
    },
    setMetricAnswers: (to: AnswerMetric): void => {
      answerMetric = to
    },
    setFreeze,
    setReachable: (what: 'target' | 'router' | 'freezes', reachable: boolean): void => {
      if (what === 'freezes') freezesReachable = reachable
      else if (what === 'target') targetReachable = reachable
      else routerReachable = reachable
    },
    strikeAnswers: (faults: readonly AnswerFault[]): void => {
      answerFaults = [...answerFaults, ...faults]
    },
    healAnswers: (): void => {
      answerFaults = []
    },
    jumpClock: (ms: number): void => {
      now += ms
    },
    /** A first release that serves and whose rollout is over. */
    withStable: (version = '1.0.0'): void => {
      deploy(version)
      passUntil(({ stable, rollout }) => stable?.version === version && rollout?.phase.kind === 'ended')
    },
  }
}

export const isOver = ({ rollout }: ServiceState): boolean =>
  rollout === null || rollout.phase.kind === 'ended'
export const stepKind = ({ rollout }: ServiceState): string | undefined =>
  rollout?.plan.steps[rollout.stepIndex]?.step.kind

const history = (events: readonly Event[], now: number): string =>
  events
    .slice(-40)
    .map((event) => `${event.at - now} ${JSON.stringify(event).slice(0, 260)}`)
    .join('\n')
