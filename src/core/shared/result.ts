import type { Problem } from './problem.ts'

/** The outcome of something that may fail in an expected way. Bugs throw; expected failures are values. */
export type Result<T, E = Problem> = { kind: 'ok'; value: T } | { kind: 'failed'; problem: E }

export const ok = <T>(value: T): Result<T, never> => ({ kind: 'ok', value })
export const failed = <E>(problem: E): Result<never, E> => ({ kind: 'failed', problem })
