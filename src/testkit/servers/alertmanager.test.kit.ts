import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, startServer } from './program.test.kit.ts'

const program = findProgram('prometheus-alertmanager')

/** Why none can be started here, or `null`. */
export const alertmanagerMissing: string | null =
  program === null ? 'Alertmanager is not installed: npm run testbed' : null

export type Alertmanager = {
  /** Alerts as Prometheus sends them. */
  tell(alerts: readonly object[]): Promise<void>
  dispose(): Promise<void>
}

type Receiver = { url: string; token: string }

/** A real Alertmanager that sends everything to one address, at once. */
export async function startAlertmanager(receiver: Receiver): Promise<Alertmanager> {
  const { address, dispose } = await startServer({
    name: 'alertmanager',
    program: program ?? 'prometheus-alertmanager',
    argumentsIn: (folder, port) => {
      const config = join(folder, 'alertmanager.yml')
      writeFileSync(config, configFor(receiver))
      return [
        `--config.file=${config}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
        '--log.level=error',
      ]
    },
    isReady: async (at) => (await fetch(`${at}/-/ready`)).ok,
  })
  return {
    tell: async (alerts) => {
      const answer = await fetch(`${address}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      })
      if (!answer.ok) throw new Error(`Alertmanager answers ${answer.status}: ${await answer.text()}`)
    },
    dispose,
  }
}

const configFor = ({ url, token }: Receiver): string =>
  `route: { receiver: sluice, group_wait: 1ms, group_interval: 200ms, repeat_interval: 1h }
receivers:
  - name: sluice
    webhook_configs:
      - url: ${url}
        http_config: { authorization: { credentials: ${token} } }
`
