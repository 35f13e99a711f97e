import { closest, distance } from 'fastest-levenshtein'
import * as z from 'zod'
import { type Problem, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'

/** A problem with one field of the input; `path` is empty for the input as a whole. */
export type InputProblem = Problem & { path: string }
export type InputProblems = InputProblem & { problems: InputProblem[] }

/** Reads the input of an operation. Unknown keys are refused, also where the schema would drop them. */
export function parseInput<Input extends z.ZodType>(
  schema: Input,
  value: unknown,
): Result<z.infer<Input>, InputProblems> {
  const unknown = unknownKeys(schema, value)
  const read = schema.safeParse(value)
  if (read.success && unknown.length === 0) return ok(read.data)
  const issues = (read.error?.issues ?? []).filter(
    (issue) => issue.code !== 'unrecognized_keys' || issue.path.length > 0,
  )
  const problems = [...unknown, ...issues.map(issueProblem)]
  const first = problems[0]
  if (first === undefined) throw new Error('an input was refused without an issue')
  return failed({ ...first, problems })
}

function unknownKeys(schema: z.ZodType, value: unknown): InputProblem[] {
  if (!(schema instanceof z.ZodObject) || typeof value !== 'object' || value === null || Array.isArray(value))
    return []
  const known = Object.keys(schema.shape)
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) =>
      inputProblem(key, {
        message: `"${key.slice(0, 100)}" is not known here.`,
        cause: 'unknown key',
        remedy: hint(key, known),
      }),
    )
}

const hint = (key: string, known: readonly string[]): string => {
  const near = nearest(key, known)
  if (near !== null) return `Did you mean "${near}"?`
  return known.length === 0 ? 'This takes no input.' : `Known are: ${known.join(', ')}.`
}

/** The known name a person most likely meant, or `null` when nothing is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  if (known.length === 0 || name.length > 100) return null
  const candidate = closest(name, [...known])
  return distance(name, candidate) <= Math.max(2, Math.floor(candidate.length / 3)) ? candidate : null
}

function issueProblem(issue: z.core.$ZodIssue): InputProblem {
  const path = issue.path.map(String).join('.')
  return inputProblem(path, {
    message: path === '' ? 'The input is wrong.' : `"${path}" is wrong.`,
    cause: issue.message,
    remedy: path === '' ? 'Send one JSON object, as described in the API reference.' : `Correct "${path}".`,
  })
}

const inputProblem = (
  path: string,
  text: { message: string; cause: string; remedy: string },
): InputProblem => ({
  ...problem('INPUT_INVALID', text),
  path,
})
