import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanupOf } from '../kit/cleanup.ts'
import { run } from '../kit/processes.ts'

export const PM2_VERSION = '7.0.4'
const INSTALL_LIMIT_MS = 120_000

export type Pm2 = { file: string; remove(): Promise<void> }

/** PM2 in a temporary folder: it is a peer to measure, not a dependency. Throws when it cannot be installed. */
export async function installPm2(): Promise<Pm2> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-pm2-'))
  const remove = cleanupOf(async () => rmSync(folder, { recursive: true, force: true }))
  const words = [
    'install',
    '--prefix',
    folder,
    `pm2@${PM2_VERSION}`,
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  const ended = await run('npm', words, { limitMs: INSTALL_LIMIT_MS })
  if (ended.code === 0) return { file: join(folder, 'node_modules/pm2/bin/pm2'), remove }
  await remove()
  throw new Error(
    `pm2@${PM2_VERSION} could not be installed: ${ended.err.trim().split('\n').at(-1) ?? 'no word why'}`,
  )
}
