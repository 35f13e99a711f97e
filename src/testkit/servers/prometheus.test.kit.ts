import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const READY_MS = 60_000
const POLL_MS = 50
/** As short as a test wants it; in earnest it is 15 s or more. */
export const SCRAPE_MS = 100

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'prometheus'))
  .find((file) => existsSync(file))

/** Why no server can be started here, or `null`. */
export const prometheusMissing: string | null =
  program === undefined ? 'Prometheus is not installed: npm run testbed' : null

export type PrometheusServer = { address: string; dispose(): Promise<void> }

/** A server of its own in a scratch folder, which scrapes these addresses (`127.0.0.1:1234`). */
export async function startPrometheus(...targets: string[]): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'))
  const config = join(folder, 'prometheus.yml')
  writeFileSync(
    config,
    `global: { scrape_interval: ${SCRAPE_MS}ms, scrape_timeout: ${SCRAPE_MS}ms }
scrape_configs: [{ job_name: shop, static_configs: [{ targets: [${targets.map((one) => `'${one}'`).join(', ')}] }] }]
`,
  )
  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  const child = spawn(
    program ?? 'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { cwd: folder, stdio: 'ignore' },
  )
  const lastResort = () => child.kill('SIGKILL')
  process.once('exit', lastResort)
  await ready(child, address)
  return {
    address,
    dispose: async () => {
      process.off('exit', lastResort)
      const exited = child.exitCode === null ? once(child, 'exit') : null
      child.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function ready(child: ChildProcess, address: string): Promise<void> {
  const deadline = performance.now() + READY_MS
  for (;;) {
    const answer = await fetch(`${address}/api/v1/query?query=up`).catch(() => null)
    const said = await answer?.text()
    // It answers before it has scraped for the first time.
    if (said?.includes('"value"') === true) return
    if (performance.now() > deadline || child.exitCode !== null) {
      child.kill('SIGKILL')
      throw new Error('Prometheus did not start')
    }
    await delay(POLL_MS)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
