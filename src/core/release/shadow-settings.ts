import * as z from 'zod'
import { BodyComparison, RequestPattern } from '../shared/mirror.ts'
import { DurationMs } from '../shared/quantities.ts'
import { WeightPermille } from '../shared/weight.ts'

/** Methods that ask and change nothing (RFC 9110, 9.2.1). What a service makes of them is its own affair. */
export const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'] as const
/** Methods that change something, so that a copy changes it twice. */
export const WRITING_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const

/** What is copied to the candidate, for how long, and what is compared. */
export const ShadowTest = z.object({
  sharePermille: WeightPermille.min(1),
  methods: z.array(z.enum([...SAFE_METHODS, ...WRITING_METHODS])).min(1),
  /** Requests that write and may be made twice, as somebody declared; those of no others are copied. */
  idempotent: z.array(RequestPattern),
  bodies: BodyComparison,
  /** At least this long; `null` waits for a person. */
  forMs: DurationMs.nullable(),
  /** What is not decided after so long pauses. */
  atMostMs: DurationMs.exactOptional(),
})
export type ShadowTest = z.infer<typeof ShadowTest>

const isSafe = (method: string): boolean => SAFE_METHODS.some((safe) => safe === method)

/** Requests that may be made twice: all of a method that only asks, and what is declared of one that writes. */
export const copiedRequests = ({
  methods,
  idempotent,
}: Pick<ShadowTest, 'methods' | 'idempotent'>): RequestPattern[] =>
  methods.flatMap((method) =>
    isSafe(method) ? [{ method, path: '*' }] : idempotent.filter((one) => one.method === method),
  )

/** Methods that write and of which no request is declared to bear a second one (S41). */
export const undeclaredMethods = ({
  methods,
  idempotent,
}: Pick<ShadowTest, 'methods' | 'idempotent'>): string[] =>
  methods.filter((method) => !isSafe(method) && !idempotent.some((one) => one.method === method))
