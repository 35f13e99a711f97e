import { isDeepStrictEqual } from 'node:util'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { compareTokens, type FencingToken } from '../core/shared/token.ts'
import type { AgentState, SetRecord } from './agent-state.ts'
import type { LifeEvent, ProbeLimits } from './instance-life.ts'
import { evolve } from './instance-life.ts'
import { InstanceRecord } from './instance-record.ts'
import { saveState } from './state-file.ts'

type SetName = { service: string; release: string }

/** What the agent was asked for and what came of it, in memory and, before anything acts on it, in agent.json. */
export class SetRegistry {
  #state: AgentState
  readonly #path: string
  #changed = false
  readonly #byId: Map<string, InstanceRecord>
  /** Since this agent was started, by service. */
  readonly #crashes = new Map<string, number>()
  readonly #restarts = new Map<string, number>()

  constructor(path: string, state: AgentState) {
    this.#path = path
    this.#state = state
    this.#byId = new Map(state.instances.map((instance) => [instance.id, instance]))
  }

  /** Fencing: remembers the token durably, or refuses it when a higher one was seen for this service. */
  admit(service: string, token: FencingToken): Result<void> {
    const highest = this.highestToken(service)
    const order = highest === null ? 1 : compareTokens(token, highest)
    if (highest !== null && order < 0) return failed(staleToken(service, token, highest))
    if (order > 0) {
      this.#state.tokens[service] = token
      this.#changed = true
    }
    // Also for a repeat: the first time the disk may have been full.
    this.save()
    return ok(undefined)
  }

  highestToken(service: string): FencingToken | null {
    return Object.hasOwn(this.#state.tokens, service) ? (this.#state.tokens[service] ?? null) : null
  }

  sets(): readonly SetRecord[] {
    return this.#state.sets
  }
  findSet({ service, release }: SetName): SetRecord | undefined {
    return this.#state.sets.find((set) => set.service === service && set.release === release)
  }
  /** A set that is asked for again as it is costs nothing. */
  putSet(set: SetRecord): void {
    if (isDeepStrictEqual(this.findSet(set), set)) return
    this.#state.sets = [...this.#state.sets.filter((other) => !isSame(other, set)), set]
    this.#changed = true
  }
  removeSet(name: SetName): void {
    this.#state.sets = this.#state.sets.filter((set) => !isSame(set, name))
    this.#changed = true
  }

  instances(): readonly InstanceRecord[] {
    return this.#state.instances
  }
  instancesOf(name: SetName): InstanceRecord[] {
    return this.#state.instances.filter((instance) => isSame(instance, name))
  }
  findInstance(id: string): InstanceRecord | undefined {
    return this.#byId.get(id)
  }
  addInstance(instance: InstanceRecord): void {
    this.#state.instances = [...this.#state.instances, instance]
    this.#byId.set(instance.id, instance)
    this.#changed = true
  }
  removeInstance(id: string): void {
    this.#state.instances = this.#state.instances.filter((instance) => instance.id !== id)
    this.#byId.delete(id)
    this.#changed = true
  }

  /** Every service that was ever heard of: whoever has a token. */
  services(): string[] {
    return Object.keys(this.#state.tokens)
  }

  /** Lets an event happen to an instance and answers with what became of it. */
  apply(id: string, event: LifeEvent, limits: ProbeLimits): InstanceRecord | undefined {
    const before = this.findInstance(id)
    if (before === undefined) return undefined
    const after = evolve(before, event, limits)
    if (after === before) return before
    this.#state.instances = this.#state.instances.map((instance) => (instance.id === id ? after : instance))
    this.#byId.set(id, after)
    if (mustSurvive(before, after)) this.#changed = true
    if (after.crashes > before.crashes) addOne(this.#crashes, after.service)
    if (event.kind === 'spawned' && before.crashes > 0) addOne(this.#restarts, after.service)
    return after
  }

  /** What happened to the instances of a service since this agent was started. */
  mishaps(service: string): { crashes: number; restarts: number } {
    return { crashes: this.#crashes.get(service) ?? 0, restarts: this.#restarts.get(service) ?? 0 }
  }

  hostBoot(): string {
    return this.#state.hostBoot
  }
  setHostBoot(hostBoot: string): void {
    this.#state.hostBoot = hostBoot
    this.#changed = true
  }

  /** On the disk when this returns. Writes only when something changed. */
  save(): void {
    if (!this.#changed) return
    saveState(this.#path, this.#state)
    this.#changed = false
  }
}

const addOne = (counts: Map<string, number>, key: string): unknown =>
  counts.set(key, (counts.get(key) ?? 0) + 1)

const isSame = (a: SetName, b: SetName): boolean => a.service === b.service && a.release === b.release

/** Counters of probes change every second and may be lost: they are no reason to write to the disk. */
const mustSurvive = (before: InstanceRecord, after: InstanceRecord): boolean =>
  DURABLE.some((key) => before[key] !== after[key])

const DURABLE = InstanceRecord.omit({
  consecutiveSuccesses: true,
  consecutiveProbeFailures: true,
  lastProbeFailure: true,
}).keyof().options

const staleToken = (service: string, token: FencingToken, highest: FencingToken) =>
  problem('STALE_TOKEN', {
    message: `token ${show(token)} for service ${service} is older than ${show(highest)}, the highest seen on this host`,
    remedy: 'Another controller has taken over. Stop this one, or let it read the state again.',
  })

const show = (token: FencingToken): string => `${token.epoch}.${token.sequence}`
