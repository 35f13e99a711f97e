import { healthOf } from './health-settings.ts'
import type { LifeEvent } from './instance-life.ts'
import type { SetRegistry } from './set-registry.ts'
import { newWatch, type Watch } from './watch.ts'

/** Where what happens to instances is written: what must survive the agent into the registry, all else into a watch. */
export class InstanceLedger {
  readonly #registry: SetRegistry
  readonly #watches = new Map<string, Watch>()

  constructor(registry: SetRegistry) {
    this.#registry = registry
  }

  apply(id: string, event: LifeEvent): void {
    const record = this.#registry.findInstance(id)
    if (record !== undefined) this.#registry.apply(id, event, healthOf(this.#registry.findSet(record)))
  }

  watch(id: string): Watch {
    const known = this.#watches.get(id)
    if (known !== undefined) return known
    const fresh = newWatch()
    this.#watches.set(id, fresh)
    return fresh
  }
  forget(id: string): void {
    this.#watches.delete(id)
  }

  startFailed(id: string, message: string, final: boolean): void {
    this.apply(id, { kind: 'spawn-failed', at: Date.now(), message, final })
  }

  /** What has happened has happened, also when the disk is full: the loop saves again, and reports why it cannot. */
  saveNow(): void {
    try {
      this.#registry.save()
    } catch {
      // The registry stays marked as changed.
    }
  }
}
