import * as z from 'zod'

/**
 * An expected failure a person can act on.
 * `code` is stable and listed in docs/errors.md; `message` holds the values; `remedy` is something the reader can do now.
 *
 * @example { code: 'CONFIG_UNKNOWN_KEY', message: 'sluice.yaml:7:3: unknown key "replcas"', remedy: 'Did you mean "replicas"?', retryable: false }
 */
export const Problem = z.object({
  code: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  message: z.string(),
  cause: z.string().exactOptional(),
  remedy: z.string(),
  retryable: z.boolean(),
})
export type Problem = z.infer<typeof Problem>

type ProblemInput = { message: string; remedy: string; cause?: string | undefined; retryable?: boolean }

/** Makes a `Problem`; not retryable unless said. */
export function problem(code: string, { message, remedy, cause, retryable = false }: ProblemInput): Problem {
  return { code, message, remedy, retryable, ...(cause === undefined ? {} : { cause }) }
}

/** Carries a `Problem` through code that can only throw (streams, framework hooks). Catch it at the nearest edge. */
export class ProblemError extends Error {
  readonly problem: Problem
  constructor(of: Problem) {
    super(`${of.code}: ${of.message}`)
    this.problem = of
  }
}
