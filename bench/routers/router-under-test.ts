import type { DataPlane } from '../../src/ports/router.ts'

export type ByHand = { folder: string; port: number; originPort: number }

/** A router as the bench needs it: run by Sluice, and as people configure it themselves. */
export type RouterUnderTest = {
  name: string
  createPlane(folder: string): DataPlane
  /** The same split in the plainest configuration that does it, without a log. Resolves when it serves. */
  startByHand(place: ByHand): Promise<{ stop(): Promise<void> }>
}

const ignore = (): void => undefined
export const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore }
