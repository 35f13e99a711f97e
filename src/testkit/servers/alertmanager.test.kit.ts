import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const READY_MS = 30_000
const POLL_MS = 50

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'prometheus-alertmanager'))
  .find((file) => existsSync(file))

/** Why none can be started here, or `null`. */
export const alertmanagerMissing: string | null =
  program === undefined ? 'Alertmanager is not installed: npm run testbed' : null

export type Alertmanager = {
  /** Alerts as Prometheus sends them. */
  tell(alerts: readonly object[]): Promise<void>
  dispose(): Promise<void>
}

/** A real Alertmanager that sends everything to one address, at once. */
export async function startAlertmanager({
  url,
  token,
}: {
  url: string
  token: string
}): Promise<Alertmanager> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-alertmanager-'))
  const config = join(folder, 'alertmanager.yml')
  writeFileSync(
    config,
    `route: { receiver: sluice, group_wait: 1ms, group_interval: 200ms, repeat_interval: 1h }
receivers:
  - name: sluice
    webhook_configs:
      - url: ${url}
        http_config: { authorization: { credentials: ${token} } }
`,
  )
  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  const child = spawn(
    program ?? 'prometheus-alertmanager',
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ],
    { cwd: folder, stdio: 'ignore' },
  )
  const lastResort = () => child.kill('SIGKILL')
  process.once('exit', lastResort)
  await ready(address)
  return {
    tell: async (alerts) => {
      const answer = await fetch(`${address}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      })
      if (!answer.ok) throw new Error(`Alertmanager answers ${answer.status}: ${await answer.text()}`)
    },
    dispose: async () => {
      process.off('exit', lastResort)
      const exited = child.exitCode === null ? once(child, 'exit') : null
      child.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function ready(address: string): Promise<void> {
  for (const end = Date.now() + READY_MS; Date.now() < end; await delay(POLL_MS)) {
    const answer = await fetch(`${address}/-/ready`).catch(() => null)
    if (answer?.ok === true) return
  }
  throw new Error(`Alertmanager is not ready after ${READY_MS} ms`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}
