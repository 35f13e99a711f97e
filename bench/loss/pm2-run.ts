import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cleanupOf } from '../kit/cleanup.ts'
import type { LoadKind } from '../kit/load-process.ts'
import { type Cost, type PhasedLoad, startPhasedLoad } from '../kit/phased-load.ts'
import { endProcessesOf, freePort, run, until } from '../kit/processes.ts'
import type { Pm2 } from './pm2-install.ts'

const APP = fileURLToPath(new URL('app/server.mjs', import.meta.url))
const COMMAND_LIMIT_MS = 60_000

/**
 * `defaults` is what `pm2 start -i 2` does. `tuned` is what its documentation advises for graceful reloads: the app
 * says when it is ready, and has longer to stop than its slowest request takes.
 */
export type Pm2Settings = 'defaults' | 'tuned'

const TUNED = { wait_ready: true, listen_timeout: 10_000, kill_timeout: 10_000 }

/** Two instances in cluster mode, reloaded twice under the same load. */
export async function runPm2(pm2: Pm2, settings: Pm2Settings, load?: LoadKind): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-pm2-home-'))
  const port = await freePort()
  const config = join(folder, 'ecosystem.config.json')
  cpSync(APP, join(folder, 'server.mjs'))
  const app = {
    name: 'bench',
    script: join(folder, 'server.mjs'),
    cwd: folder,
    instances: 2,
    exec_mode: 'cluster',
    args: `--port ${port}`,
  }
  writeFileSync(config, JSON.stringify({ apps: [settings === 'tuned' ? { ...app, ...TUNED } : app] }))
  const command = async (...words: string[]): Promise<void> => {
    const env = { ...process.env, PM2_HOME: join(folder, 'home') }
    const ended = await run(process.execPath, [pm2.file, ...words], {
      cwd: folder,
      env,
      limitMs: COMMAND_LIMIT_MS,
    })
    if (ended.code !== 0)
      throw new Error(`pm2 ${words[0]} ended with ${ended.code}: ${ended.err || ended.out}`)
  }
  const clear = cleanupOf(async () => {
    await command('kill').catch(() => undefined)
    await endProcessesOf(folder)
    rmSync(folder, { recursive: true, force: true })
  })
  try {
    await command('start', config)
    const url = `http://127.0.0.1:${port}`
    await until(() => answers(url), { limitMs: 10_000, what: 'the app under PM2 to answer' })
    return await reloadTwice(startPhasedLoad(url, load), () => command('reload', 'bench'))
  } finally {
    await clear()
  }
}

async function reloadTwice(load: PhasedLoad, reload: () => Promise<void>): Promise<Cost> {
  try {
    return await load.phase(async () => {
      await reload()
      await reload()
    })
  } finally {
    await load.end()
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/up`).then(
    ({ ok }) => ok,
    () => false,
  )
