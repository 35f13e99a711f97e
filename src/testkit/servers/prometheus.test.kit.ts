import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, type RunningServer, startServer } from './program.test.kit.ts'

/** As short as a test wants it; in earnest it is 15 s or more. */
export const SCRAPE_MS = 100

const program = findProgram('prometheus')

/** Why no server can be started here, or `null`. */
export const prometheusMissing: string | null =
  program === null ? 'Prometheus is not installed: npm run testbed' : null

export type PrometheusServer = RunningServer

/** A server of its own that scrapes these addresses (`127.0.0.1:1234`). */
export const startPrometheus = (...targets: string[]): Promise<PrometheusServer> =>
  startServer({
    name: 'prometheus',
    program: program ?? 'prometheus',
    argumentsIn: (folder, port) => {
      const config = join(folder, 'prometheus.yml')
      writeFileSync(config, configFor(targets))
      return [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ]
    },
    isReady: hasScraped,
  })

const configFor = (targets: readonly string[]): string =>
  `global: { scrape_interval: ${SCRAPE_MS}ms, scrape_timeout: ${SCRAPE_MS}ms }
scrape_configs: [{ job_name: shop, static_configs: [{ targets: [${targets.map((one) => `'${one}'`).join(', ')}] }] }]
`

/** It answers before it has scraped for the first time. */
async function hasScraped(address: string): Promise<boolean> {
  const answer = await fetch(`${address}/api/v1/query?query=up`)
  return (await answer.text()).includes('"value"')
}
