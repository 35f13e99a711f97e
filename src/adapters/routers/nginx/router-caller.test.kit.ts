import type { Router } from '../../../ports/router.ts'
import { createNginx } from './nginx.ts'

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** For a process of its own that is killed while it calls. */
export const createNginxRouter = ({ folder }: { folder: string }): Router =>
  createNginx({ folder, log: SILENT, now: Date.now }).router
