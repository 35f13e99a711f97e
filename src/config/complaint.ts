import * as z from 'zod'

/** What is wrong with one value, before it is known where in the file the value stands. */
export type Complaint = { code: string; message: string; remedy: string }

/** The outcome of reading one scalar of the file. */
export type Reading<T> = { kind: 'ok'; value: T } | { kind: 'refused'; complaint: Complaint }

export const read = <T>(value: T): Reading<T> => ({ kind: 'ok', value })
export const refused = (code: string, message: string, remedy: string): Reading<never> => ({
  kind: 'refused',
  complaint: { code, message, remedy },
})

/** How a value looks in a message: short, quoted if it is text. */
export function shown(input: unknown): string {
  if (input === null) return 'empty'
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'object') return 'a mapping'
  const text = typeof input === 'string' ? JSON.stringify(input) : String(input)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

export const MISSING: Complaint = {
  code: 'CONFIG_MISSING_KEY',
  message: 'is missing',
  remedy: 'Add it.',
}

const EMPTY: Complaint = {
  code: 'CONFIG_WRONG_TYPE',
  message: 'has no value',
  remedy: 'Write a value after the colon, or remove the key to get the default.',
}

/** What a scalar is called in the docs and how editors should check it. */
type JsonHints = { title: string; type?: string | string[]; pattern?: string; examples?: string[] }

/**
 * A zod schema for one scalar with a reader of its own. The input is `unknown` on purpose: the reader then sees the
 * number in `interval: 30` and can say that the unit is missing, where zod could only say "expected string".
 */
export const scalar = <T>(reader: (input: unknown) => Reading<T>, json: JsonHints) =>
  z
    .unknown()
    .transform((input, context): T => {
      const reading = readPresent(input, reader)
      if (reading.kind === 'ok') return reading.value
      complain(context, reading.complaint)
      return z.NEVER
    })
    .meta({ type: 'string', ...json })

function readPresent<T>(input: unknown, reader: (input: unknown) => Reading<T>): Reading<T> {
  if (input === undefined) return { kind: 'refused', complaint: MISSING }
  if (input === null) return { kind: 'refused', complaint: EMPTY }
  return reader(input)
}

/** Adds a complaint to a zod check, at `path` below the value that is checked. */
export function complain(context: z.RefinementCtx, complaint: Complaint, path: PropertyKey[] = []): void {
  const { code, message, remedy } = complaint
  context.addIssue({ code: 'custom', message, path, params: { code, remedy }, input: context.value })
}

/** Reads back what `complain` stored in a zod issue. */
export const ComplaintParams = z.object({ code: z.string(), remedy: z.string() })

export const complaintForEmpty = EMPTY
