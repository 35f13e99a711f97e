import type { ServiceSettings } from '../release/settings.ts'
import type { Command, Observed } from '../rollout/command.ts'
import { decide } from '../rollout/decide.ts'
import { due, type Effect } from '../rollout/due.ts'
import type { Event } from '../rollout/event.ts'
import { evolve } from '../rollout/evolve.ts'
import { newServiceState, type ServiceState } from '../rollout/state.ts'
import { NEVER_FROZEN } from '../shared/freeze.ts'
import type { Problem } from '../shared/problem.ts'
import { readyWithinMs } from '../shared/set-spec.ts'
import { chanceOf } from './chance.ts'
import { VirtualInstances } from './instances.ts'
import { checksPassAt, crashesIn, rateAt, type Script, type Side, type SideNow, sideAt } from './script.ts'
import { SimulatedTraffic } from './traffic.ts'

/** The controller looks as often as numbers are judged, within these. */
const SHORTEST_LOOK_MS = 100
const LONGEST_LOOK_MS = 1000
/** After something was done it looks again soon, to see whether it took effect. */
const EAGER_LOOK_MS = 100
const EPOCH = 1

export type WorldInput = {
  stream: string
  candidate: string
  settings: ServiceSettings
  script: Script
  /** When the rollout begins, in ms since the epoch. */
  beginsAt: number
  /** The clock before it. */
  startsAt: number
}

/**
 * One service in virtual time: the same decisions as the controller makes, and instances and requests that follow a script.
 * Nothing here decides anything about a rollout.
 */
export class VirtualWorld {
  readonly #input: WorldInput
  readonly #instances: VirtualInstances
  readonly #traffic: SimulatedTraffic
  readonly #events: Event[] = []
  #now: number
  #state: ServiceState
  #isEager = false

  constructor(input: WorldInput) {
    const { stream, settings, script, startsAt } = input
    this.#input = input
    this.#now = startsAt
    this.#state = newServiceState(stream)
    this.#traffic = new SimulatedTraffic({ stream, chance: chanceOf(script.seed) })
    this.#instances = new VirtualInstances({
      stream,
      startMsOf: (release) => this.#qualityOf(release).startMs,
      deadlineMs: readyWithinMs(settings.health),
    })
    this.order({ kind: 'controller-started', epoch: EPOCH, observation: this.#observation() })
  }

  state(): ServiceState {
    return this.#state
  }

  now(): number {
    return this.#now
  }

  events(): readonly Event[] {
    return this.#events
  }

  running(): number {
    return this.#instances.running()
  }

  /** Requests that no instance could take, or that were turned away as planned. */
  lost(): number {
    const { unroutable, closed = 0 } = this.#traffic.counts()
    return unroutable + closed
  }

  /** Time goes by until the next look, or until a moment before it, and the controller looks. */
  step(notBeyond = Number.POSITIVE_INFINITY): void {
    const { analysis } = this.#input.settings
    const usualMs = Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, analysis.intervalMs))
    const ms = Math.min(notBeyond - this.#now, this.#isEager ? EAGER_LOOK_MS : usualMs)
    const from = this.#now
    this.#now += ms
    this.#instances.tick(this.#now)
    this.#crash(from)
    this.#traffic.serve({
      requestsPerSecond: rateAt(this.#input.script, this.#elapsedMs()),
      ms,
      qualityOf: (release) => this.#qualityOf(release),
      readyOf: (release) => this.#instances.readyOf(release),
    })
    this.order({ kind: 'observed', observation: this.#observation() })
  }

  /** Decided and done at once; a refusal is the answer. */
  order(command: Command): Problem | null {
    const refused = this.#decide(command)
    const effects = due(this.#state)
    this.#isEager = effects.length > 0
    for (const effect of effects) {
      this.#perform(effect)
      if (effect.kind === 'verify') this.#makeChecks(effect)
      else this.#decide({ kind: 'effect-succeeded', effect: effect.key, epoch: effect.token.epoch })
    }
    return refused
  }

  #decide(command: Command): Problem | null {
    const decided = decide(this.#state, command, this.#now)
    if (decided.kind === 'failed') return decided.problem
    for (const event of decided.value) {
      this.#events.push(event)
      this.#state = evolve(this.#state, event)
    }
    return null
  }

  #perform(effect: Effect): void {
    const now = this.#now
    switch (effect.kind) {
      case 'start-set':
        this.#instances.keep(effect.release, effect, now)
        break
      case 'adopt-set':
        this.#instances.keep(effect.release, { replicas: 1, without: [] }, now)
        break
      case 'stop-set':
        this.#instances.stopAll(effect.release, now)
        break
      case 'release-set':
        this.#instances.forget(effect.release)
        break
      case 'set-routes':
        this.#traffic.setRoutes(effect)
        break
      case 'finalize':
        this.#traffic.forget()
        break
      // Checks are answered beside this. The light watch comes after the outcome, where a simulation ends.
      case 'verify':
      case 'go-back':
        break
    }
  }

  #makeChecks({ rollout, index, url, checks }: Extract<Effect, { kind: 'verify' }>): void {
    const passed = checksPassAt(this.#input.script, this.#elapsedMs())
    const text = passed ? 'passed, as the script says' : 'failed, as the script says'
    const results = checks.map(({ name }) => ({ name, passed, text, tookMs: 1 }))
    this.#decide({ kind: 'verified', underEpoch: EPOCH, rollout, index, report: { url, results } })
  }

  #crash(from: number): void {
    const { script, candidate, beginsAt } = this.#input
    const span = { fromMs: from - beginsAt, toMs: this.#elapsedMs() }
    const stable = this.#state.stable?.release ?? candidate
    this.#instances.crash(candidate, crashesIn(script, 'candidate', span), this.#now)
    if (stable !== candidate) this.#instances.crash(stable, crashesIn(script, 'stable', span), this.#now)
  }

  #observation(): Observed {
    return {
      instances: { kind: 'seen', instances: this.#instances.all() },
      router: { kind: 'seen', state: this.#traffic.state() },
      metrics: { kind: 'samples', at: this.#now, counts: this.#traffic.counts() },
      freeze: { kind: 'seen', state: NEVER_FROZEN },
      probes: { sent: 0, lost: 0 },
    }
  }

  #qualityOf(release: string): SideNow {
    const side: Side = release === this.#input.candidate ? 'candidate' : 'stable'
    return sideAt(this.#input.script, side, this.#elapsedMs())
  }

  #elapsedMs(): number {
    return this.#now - this.#input.beginsAt
  }
}
