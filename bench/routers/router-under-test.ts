import type { DataPlane } from '../../src/ports/router.ts'

/** How people configure it: with the log that a fresh installation on Debian has, for a canary that can be judged, or without any log. */
export type Way = 'debian' | 'canary' | 'none'

export type ByHand = { folder: string; port: number; originPort: number; way: Way }

/** A router as the bench needs it: run by Sluice, and as people configure it themselves. */
export type RouterUnderTest = {
  name: string
  /** In words, what each way is; without what is missing here. */
  ways: Partial<Record<Way, string>>
  createPlane(folder: string): DataPlane
  /** The same split by hand. Resolves when it was started. */
  startByHand(place: ByHand): Promise<{ stop(): Promise<void> }>
}

const ignore = (): void => undefined
export const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore }
