import type { DataPlane } from '../../src/ports/router.ts'

export type ByHand = {
  folder: string
  port: number
  originPort: number
  /** The access log that a fresh installation on Debian has, or none. */
  log: 'none' | 'debian'
}

/** A router as the bench needs it: run by Sluice, and as people configure it themselves. */
export type RouterUnderTest = {
  name: string
  /** What `log: debian` is, in words. */
  debianLog: string
  createPlane(folder: string): DataPlane
  /** The same split in the plainest configuration that does it. Resolves when it was started. */
  startByHand(place: ByHand): Promise<{ stop(): Promise<void> }>
}

const ignore = (): void => undefined
export const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore }
