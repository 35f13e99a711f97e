import type { Position } from './config-problem.ts'
import type { Origin } from './origin.ts'
import type { Overrides } from './schema.ts'

/** One level of the configuration: an environment, the service itself, or the defaults. */
export type Layer = { values: Overrides; originOf(path: readonly PropertyKey[]): Origin }

/** A layer written in the file, below `base`. */
export function fileLayer(
  values: Overrides,
  base: readonly PropertyKey[],
  place: { environment: string | null; valueAt(path: readonly PropertyKey[]): Position },
): Layer {
  return {
    values,
    originOf: (path) => {
      const at = place.valueAt([...base, ...path])
      return place.environment === null
        ? { kind: 'file', ...at }
        : { kind: 'environment', name: place.environment, ...at }
    },
  }
}

export const defaultLayer = (values: Overrides): Layer => ({
  values,
  originOf: () => ({ kind: 'default', note: '' }),
})

/** Reads through the layers, first one wins, and remembers for each value where it came from. */
export class LayeredReader {
  readonly origins = new Map<string, Origin>()
  readonly #layers: readonly Layer[]

  constructor(layers: readonly Layer[]) {
    this.#layers = layers
  }

  /** The value of a key that always has one: required in the file or set by the defaults. */
  pick<T>(path: string, choose: (values: Overrides) => T | undefined): T {
    const value = this.find(path, choose)
    if (value === undefined) throw new Error(`no layer has a value for ${path}`)
    return value
  }

  find<T>(path: string, choose: (values: Overrides) => T | undefined): T | undefined {
    for (const layer of this.#layers) {
      const value = choose(layer.values)
      if (value === undefined) continue
      this.origins.set(path, layer.originOf(path.split('.')))
      return value
    }
    return undefined
  }

  /** For maps that are merged key by key: the lowest layer first, so that higher ones overwrite. */
  merge<T>(
    path: string,
    choose: (values: Overrides) => Readonly<Record<string, T>> | undefined,
  ): Record<string, T> {
    const merged = new Map<string, T>()
    for (const layer of this.#layers.toReversed()) {
      for (const [key, value] of Object.entries(choose(layer.values) ?? {})) {
        merged.set(key, value)
        this.origins.set(`${path}.${key}`, layer.originOf([...path.split('.'), key]))
      }
    }
    return Object.fromEntries(merged)
  }

  note(path: string, origin: Origin): void {
    this.origins.set(path, origin)
  }

  originOf(path: string): Origin {
    return this.origins.get(path) ?? { kind: 'default', note: '' }
  }
}
