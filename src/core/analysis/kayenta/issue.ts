import type * as z from 'zod'

/** The first thing that is wrong with a JSON value, with its path: `metrics.0.groups: Invalid input: expected array ...`. */
export function describeIssue(error: z.ZodError, input: unknown): string {
  if (input === null || typeof input !== 'object') return `it is ${nameOf(input)}, not a JSON object or list.`
  const [issue, ...more] = error.issues
  if (issue === undefined) return 'it has an unknown flaw.'
  const path = issue.path.map(String).join('.')
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`
  return `${path === '' ? 'the file' : path}: ${issue.message}${others}.`
}

const nameOf = (input: unknown): string =>
  input === null ? 'null' : input === undefined ? 'empty' : `a ${typeof input}`
