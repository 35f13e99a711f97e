import type { Sameness } from '../../core/shared/mirror-counts.ts'

export type JsonRules = {
  /** Names that are left out wherever they stand. */
  names: ReadonlySet<string>
  /** Paths from the top that are left out. */
  paths: readonly (readonly string[])[]
  ignoresVolatile: boolean
}

/** Deeper values are left alone: whoever writes the answers must not be able to fill our stack. */
const DEEPEST = 100

const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** `requestId` is left out anywhere, `items.*.id` at its place. */
export const jsonRules = (ignore: readonly string[], ignoresVolatile: boolean): JsonRules => ({
  names: new Set(ignore.filter((field) => !field.includes('.'))),
  paths: ignore.filter((field) => field.includes('.')).map((field) => field.split('.')),
  ignoresVolatile,
})

/**
 * Are both values of JSON the same, except for what the rules leave out? Fields may stand in any order.
 *
 * @example sameJson({ a: 1, at: 2 }, { at: 3, a: 1 }, jsonRules(['at'], true)) // 'same'
 */
export const sameJson = (a: unknown, b: unknown, rules: JsonRules): Sameness =>
  sameAt(a, b, { rules, paths: rules.paths, depth: 0 })

/** `paths`: what is left of those that lead here. */
type Place = { rules: JsonRules; paths: readonly (readonly string[])[]; depth: number }

function sameAt(a: unknown, b: unknown, place: Place): Sameness {
  if (a === b) return 'same'
  if (typeof a === 'string' && typeof b === 'string')
    return place.rules.ignoresVolatile && isVolatile(a, b) ? 'same' : 'different'
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return 'different'
  if (Array.isArray(a) !== Array.isArray(b)) return 'different'
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return 'different'
  return place.depth >= DEEPEST
    ? 'unknown'
    : sameFields(new Map(Object.entries(a)), new Map(Object.entries(b)), place)
}

const isVolatile = (a: string, b: string): boolean =>
  (TIME.test(a) && TIME.test(b)) || (UUID.test(a) && UUID.test(b))

function sameFields(a: Map<string, unknown>, b: Map<string, unknown>, place: Place): Sameness {
  let found: Sameness = 'same'
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const within = leadingOn(place, name)
    if (within === null) continue
    if (!a.has(name) || !b.has(name)) return 'different'
    const sameness = sameAt(a.get(name), b.get(name), within)
    if (sameness === 'different') return sameness
    if (sameness === 'unknown') found = sameness
  }
  return found
}

/** `null` where the field is left out. */
function leadingOn({ rules, paths, depth }: Place, name: string): Place | null {
  if (rules.names.has(name)) return null
  const on = paths.filter(([first]) => first === name || first === '*').map((path) => path.slice(1))
  return on.some((path) => path.length === 0) ? null : { rules, paths: on, depth: depth + 1 }
}
