import { type CheckResult, isAskedOfEach, type NamedCheck } from '../../core/shared/health-check.ts'
import { healthOf } from '../health-settings.ts'
import type { InstanceRecord } from '../instance-record.ts'
import type { SetRegistry } from '../set-registry.ts'
import type { Asker } from './asker.ts'
import { changeOf, newlyWatched, note, settle, type Watched } from './watched-check.ts'

/** Programs and connections at one time, of all services together; the others wait for the next look. */
const MOST_AT_ONCE = 16

export type NamedChecksParts = { registry: SetRegistry; asker: Pick<Asker, 'ask'> }

/** The process the answers are about, and what is known of each check. */
type Watch = { pid: number; service: string; checks: Map<string, Watched> }

/**
 * Looks at the named checks of all ready instances, for as long as they are ready. What is known begins anew with each
 * process and with each run of the agent: nothing here needs to survive.
 */
export class NamedChecks {
  readonly #parts: NamedChecksParts
  readonly #watches = new Map<string, Watch>()
  #asking = 0

  constructor(parts: NamedChecksParts) {
    this.#parts = parts
  }

  /** Says what is certain, starts what is due, and forgets what is over. */
  turn(instances: readonly InstanceRecord[], now: number): void {
    if (this.#watches.size === 0 && !this.#isAnythingAsked()) return
    const ready = instances.filter(isReady)
    const pids = new Map(ready.map(({ id, process }) => [id, process?.pid]))
    for (const [id, { pid }] of this.#watches) if (pids.get(id) !== pid) this.#watches.delete(id)
    const spokesmen = new Set(spokesmenOf(ready))
    const asked = ready.flatMap((record) =>
      this.#checksOf(record)
        .filter((check) => isAskedOfEach(check) || spokesmen.has(record.id))
        .map((check) => ({ record, check, watched: this.#watchedOf(record, check, now) })),
    )
    for (const group of this.#groups()) settle(group)
    const changes = new Map(this.#groups().flatMap((group) => group.map((one) => [one, changeOf(group)])))
    for (const { record, check, watched } of asked) {
      const isDue = now >= watched.nextAt || watched.begunAt < (changes.get(watched) ?? 0)
      if (isDue) this.#ask(record, check, { watched, now })
    }
  }

  /** Of one instance, in the order of the file; `undefined` where nothing is asked of it. */
  resultsOf(record: InstanceRecord): CheckResult[] | undefined {
    const watch = this.#watches.get(record.id)
    if (watch === undefined || watch.pid !== record.process?.pid) return undefined
    return this.#checksOf(record).flatMap(({ name }) => watch.checks.get(name)?.result ?? [])
  }

  #isAnythingAsked(): boolean {
    return this.#parts.registry.sets().some((set) => (healthOf(set).checks ?? []).length > 0)
  }

  #checksOf(record: InstanceRecord): readonly NamedCheck[] {
    return healthOf(this.#parts.registry.findSet(record)).checks ?? []
  }

  #ask(record: InstanceRecord, check: NamedCheck, { watched, now }: { watched: Watched; now: number }): void {
    if (watched.asking || this.#asking >= MOST_AT_ONCE) return
    const { registry, asker } = this.#parts
    watched.asking = true
    this.#asking += 1
    void asker
      .ask(record, registry.findSet(record)?.spec ?? null, check)
      .then((answer) => note(watched, check, { answer, begun: now }))
      .finally(() => {
        watched.asking = false
        this.#asking -= 1
      })
  }

  #watchedOf({ id, service, process }: InstanceRecord, check: NamedCheck, now: number): Watched {
    const watch = this.#watches.get(id) ?? { pid: process?.pid ?? 0, service, checks: new Map() }
    this.#watches.set(id, watch)
    const watched = watch.checks.get(check.name) ?? newlyWatched(check, now)
    watch.checks.set(check.name, watched)
    return watched
  }

  /** The same check of all instances of a service, of whatever release. */
  #groups(): Watched[][] {
    const groups = new Map<string, Watched[]>()
    for (const { service, checks } of this.#watches.values())
      for (const [name, watched] of checks) {
        const key = `${service} ${name}`
        groups.set(key, [...(groups.get(key) ?? []), watched])
      }
    return [...groups.values()]
  }
}

const isReady = ({ state, process }: InstanceRecord): boolean => state === 'ready' && process !== null

/** The oldest ready instance of each release answers for what is the same for all of them. */
function spokesmenOf(ready: readonly InstanceRecord[]): string[] {
  const oldest = new Map<string, InstanceRecord>()
  for (const record of ready) {
    const key = `${record.service} ${record.release}`
    const known = oldest.get(key)
    if (known === undefined || record.createdAt < known.createdAt) oldest.set(key, record)
  }
  return [...oldest.values()].map(({ id }) => id)
}
