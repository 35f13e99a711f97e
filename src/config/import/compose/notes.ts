import type * as z from 'zod'
import { shown } from '../../complaint.ts'
import type { NotMapped } from '../propose.ts'
import { type Filled, interpolate } from './interpolate.ts'

/** What is told about the import of one file beside what it wrote. */
export type Notes = {
  notMapped: NotMapped[]
  toCheck: string[]
  /** Variables of the shell or a `.env` whose default in the file was taken. */
  defaultsOf: Set<string>
}

export const noNotes = (): Notes => ({ notMapped: [], toCheck: [], defaultsOf: new Set() })

/** The keys of one service (or of the file itself), and what becomes of them. */
export type Keys = {
  /** As Compose calls the service. */
  readonly service: string
  readonly names: readonly string[]
  /** As it stands; `undefined` where it does not, and for an empty value. */
  raw(key: string): unknown
  /** With variables filled in, and in the shape that Compose allows; otherwise it is left out with the reason. */
  read<T>(key: string, shape: z.ZodType<T>): T | undefined
  /** One text with its variables filled in; otherwise `key` is left out with the reason. */
  fill(key: string, text: string): string | undefined
  leaveOut(key: string, why: string): void
  check(text: string): void
}

type KeysInput = {
  service: string
  values: Readonly<Record<string, unknown>>
  lineOf(key: string): number
  notes: Notes
}

export function keysOf({ service, values, lineOf, notes }: KeysInput): Keys {
  const map = new Map(Object.entries(values))
  const raw = (key: string): unknown => map.get(key) ?? undefined
  const leaveOut = (key: string, why: string): void => {
    const name = service === '' ? key : `${service}.${key}`
    notes.notMapped.push({ name, line: lineOf(key), why })
  }
  const take = (key: string, filled: Filled): string | undefined => {
    if (filled.kind === 'text') {
      for (const name of filled.defaultsOf) notes.defaultsOf.add(name)
      return filled.text
    }
    leaveOut(key, whyNotFilled(filled))
    return undefined
  }
  return {
    service,
    names: [...map.keys()],
    raw,
    leaveOut,
    check: (text) => void notes.toCheck.push(text),
    fill: (key, text) => take(key, interpolate(text)),
    read: (key, shape) => {
      const value = raw(key)
      if (value === undefined) return undefined
      const filled = fillAll(value)
      if (filled.kind !== 'all') {
        leaveOut(key, whyNotFilled(filled))
        return undefined
      }
      const parsed = shape.safeParse(filled.value)
      if (!parsed.success) {
        leaveOut(key, `It is ${shown(filled.value)}, which is no value that Compose allows there.`)
        return undefined
      }
      for (const name of filled.defaultsOf) notes.defaultsOf.add(name)
      return parsed.data
    },
  }
}

type AllFilled = { kind: 'all'; value: unknown; defaultsOf: string[] } | Exclude<Filled, { kind: 'text' }>

/** Every text of a value; the first one that cannot be filled in stands for all. */
function fillAll(value: unknown): AllFilled {
  if (typeof value === 'string') {
    const filled = interpolate(value)
    return filled.kind === 'text'
      ? { kind: 'all', value: filled.text, defaultsOf: filled.defaultsOf }
      : filled
  }
  if (typeof value !== 'object' || value === null) return { kind: 'all', value, defaultsOf: [] }
  const defaultsOf: string[] = []
  const entries: [string, unknown][] = []
  for (const [key, child] of Object.entries(value)) {
    const filled = fillAll(child)
    if (filled.kind !== 'all') return filled
    entries.push([key, filled.value])
    defaultsOf.push(...filled.defaultsOf)
  }
  const whole = Array.isArray(value) ? entries.map(([, child]) => child) : Object.fromEntries(entries)
  return { kind: 'all', value: whole, defaultsOf }
}

function whyNotFilled(filled: Exclude<Filled, { kind: 'text' }>): string {
  if (filled.kind === 'invalid')
    return 'It has a $ that begins no variable, which Compose refuses. A dollar sign itself is written $$.'
  const names = filled.names.map((name) => `\${${name}}`).join(', ')
  return `It depends on ${names}, whose value stands in the shell or a .env and not in this file. Write what it shall be by hand.`
}
