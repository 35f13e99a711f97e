import * as z from 'zod'
import { DurationMs } from './quantities.ts'

/** One request of a journey and what its answer must be. Redirects are not followed: they are an answer. */
export const JourneyStep = z.object({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  /** From the root of the service; may hold `{{name}}` of what was captured before. */
  path: z.string().startsWith('/'),
  headers: z.record(z.string(), z.string()),
  body: z.string().nullable(),
  expect: z.object({
    /** `null`: any 2xx. */
    status: z.int().min(100).max(599).nullable(),
    /** Each must be in the body. */
    contains: z.array(z.string()),
    /** JSONPath (RFC 9535) and the one value it must lead to. */
    json: z.array(z.object({ path: z.string(), equals: z.unknown() })),
    withinMs: z.int().positive().nullable(),
  }),
  /** Kept for later steps: name and JSONPath. */
  capture: z.record(z.string(), z.string()),
})
export type JourneyStep = z.infer<typeof JourneyStep>

/** When a check is made: before the candidate gets traffic, after it has all of it, or both. */
export const VERIFY_MOMENTS = ['before', 'after'] as const
export const VerifyMoment = z.enum(VERIFY_MOMENTS)
export type VerifyMoment = z.infer<typeof VerifyMoment>

const Check = { name: z.string(), moments: z.array(VerifyMoment).min(1), timeoutMs: z.int().min(10) }

/** Something that a good release passes: a program that ends with 0, or a journey of requests. */
export const VerifyCheck = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('command'),
    ...Check,
    command: z.array(z.string()).min(1),
    /** Names of secrets that the program gets as variables. */
    secrets: z.array(z.string()),
  }),
  z.object({ kind: z.literal('journey'), ...Check, steps: z.array(JourneyStep).min(1) }),
])
export type VerifyCheck = z.infer<typeof VerifyCheck>

/** How one check came out. */
export const CheckResult = z.object({
  name: z.string(),
  passed: z.boolean(),
  /** One sentence with the values: what was asked, what came, what was expected. */
  text: z.string(),
  tookMs: DurationMs,
})
export type CheckResult = z.infer<typeof CheckResult>

export const VerifyReport = z.object({
  /** Where the checks were made. */
  url: z.string(),
  results: z.array(CheckResult),
})
export type VerifyReport = z.infer<typeof VerifyReport>

export const checksAt = (checks: readonly VerifyCheck[], moment: VerifyMoment): VerifyCheck[] =>
  checks.filter(({ moments }) => moments.includes(moment))

/** A report without a single result is no pass: nothing was verified. */
export const hasPassed = ({ results }: VerifyReport): boolean =>
  results.length > 0 && results.every(({ passed }) => passed)

/** `2 of 3 checks passed; login: POST /login answered 500, expected 200`. */
export function reportText({ results }: VerifyReport): string {
  const failed = results.filter(({ passed }) => !passed)
  const count = `${results.length - failed.length} of ${results.length} ${results.length === 1 ? 'check' : 'checks'} passed`
  return [count, ...failed.map(({ name, text }) => `${name}: ${text}`)].join('; ')
}
