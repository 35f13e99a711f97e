import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import { ReleaseErrors } from '../core/shared/error-signature/report.ts'

/** How far the output of one instance was read. */
export const ReadPosition = z.object({
  instance: z.string(),
  offset: z.int().nonnegative(),
  /** The rest of the previous file comes first; its length, or `null` when the current one is read. */
  previousBytes: z.int().nonnegative().nullable(),
})
export type ReadPosition = z.infer<typeof ReadPosition>

/** Counts and positions belong together: whoever takes both up counts no line twice and none never. */
export const ErrorMemory = z.object({
  format: z.literal(1),
  sets: z.array(z.object({ service: z.string(), errors: ReleaseErrors })),
  positions: z.array(ReadPosition),
})
export type ErrorMemory = z.infer<typeof ErrorMemory>

/** A file that is missing or damaged is no reason to stop: what the logs still hold is read again. */
export function readErrorMemory(path: string): ErrorMemory {
  const empty: ErrorMemory = { format: 1, sets: [], positions: [] }
  if (!existsSync(path)) return empty
  try {
    return ErrorMemory.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return empty
  }
}

/** Whole or not at all; not forced to the disk, because a power cut ends what it counts, too. */
export function saveErrorMemory(path: string, memory: ErrorMemory): void {
  writeFileSync(`${path}.new`, JSON.stringify(memory), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
