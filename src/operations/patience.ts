/** Somewhat longer than an image may take on its way from the registry, and an artifact on its way into the store. */
const PREPARES_MS = 12 * 60_000

/** Operations that bring a release here before they answer, or bring it back. */
const PREPARES: ReadonlySet<string> = new Set(['plan', 'deploy', 'rollback'])

/** It may have to bring a release here first, which nobody can hurry. */
export const bringsRelease = (operation: string): boolean => PREPARES.has(operation)

/** How long an operation may go without an answer, in milliseconds. */
export const patienceMs = (operation: string, usualMs: number): number =>
  bringsRelease(operation) ? Math.max(usualMs, PREPARES_MS) : usualMs
