import type { Router } from '../../../ports/router.ts'
import { createHaproxy } from './haproxy.ts'

/** The router of a controller in a process of its own. */
export const createRouter = ({ folder }: { folder: string }): Router =>
  createHaproxy({
    folder,
    now: Date.now,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  }).router

const ignore = (): void => undefined
