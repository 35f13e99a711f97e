import type { NginxKept } from './kept.ts'
import type { Look } from './program.ts'

/** Ids of the workers that take new connections. */
export const takingOf = (workers: Look['workers']): string[] =>
  workers.flatMap(({ id, isLeaving }) => (isLeaving ? [] : [id]))

/**
 * The marker of what users get. For a moment of each reload workers of before and new ones both take connections, and
 * either may answer for the program: until the last of those that were proved has left, what they follow counts.
 */
export function digestInForce({ workers, digest }: Look, { own: { proved } }: NginxKept): string | null {
  const isBefore = digest !== null && takingOf(workers).some((id) => proved?.workers.includes(id))
  return isBefore && proved !== null ? proved.digest : digest
}
