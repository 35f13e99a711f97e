import type { Complaint } from './complaint.ts'

/** A mapping with names of its own (variables, services) would lose this one on its way into an object, unnoticed. */
const LOST = '__proto__'

/** Where a key stands that would get lost. */
export function lostKeys(
  value: unknown,
  path: PropertyKey[] = [],
  seen: Set<unknown> = new Set(),
): PropertyKey[][] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return []
  // An alias stands in several places; one of them is enough.
  seen.add(value)
  const entries: [PropertyKey, unknown][] = Array.isArray(value)
    ? value.map((one, index) => [index, one])
    : Object.entries(value)
  return entries.flatMap(([key, inner]) => [
    ...(key === LOST ? [[...path, key]] : []),
    ...lostKeys(inner, [...path, key], seen),
  ])
}

export const LOST_KEY: Complaint = {
  code: 'CONFIG_BAD_NAME',
  message: `the key "${LOST}" is no possible name`,
  remedy: 'Remove it, or give it another name.',
}
