import { LABELS, type MetricDefinition } from '../../src/telemetry/metric-definition.ts'
import { type Component, METRIC_TABLE } from '../../src/telemetry/metric-table.ts'
import { PROCESS_METRICS } from '../../src/telemetry/process-metrics.ts'
import type { GeneratedFile } from './generated-file.ts'

/** The reference of metrics, from the table that the exposition is made from. */
export const metricFiles: GeneratedFile[] = [{ path: 'docs/reference/metrics.md', content: metricsPage }]

const COMPONENTS: readonly { component: Component; title: string; about: string }[] = [
  {
    component: 'controller',
    title: 'Controller',
    about:
      '`GET /metrics`. Numbers about services cover those that this controller looks after, so several controllers add up.\nCounters begin at zero with the process; the journal does not.',
  },
  {
    component: 'proxy',
    title: 'Proxy',
    about:
      '`GET /metrics/proxy` on the controller, or `GET /metrics` on the socket of the proxy.\nOnly versions that have routes now are shown; the counters of one that comes back may begin at zero.',
  },
  {
    component: 'agent',
    title: 'Agent',
    about: '`GET /metrics/agent` on the controller, or `GET /metrics` on the socket of the agent.',
  },
]

const OWN: ReadonlySet<string> = new Set(PROCESS_METRICS.map(({ name }) => name))

function metricsPage(): string {
  const chapters = COMPONENTS.map(({ component, title, about }) => {
    const rows: readonly MetricDefinition[] = METRIC_TABLE[component]
    return `## ${title}\n\n${about}\n\n${tableOf(rows.filter(({ name }) => !OWN.has(name)))}`
  })
  return `${[INTRODUCTION, ...chapters, `## Every process\n\n${tableOf(PROCESS_METRICS)}`, labels()].join('\n\n')}\n`
}

const tableOf = (rows: readonly MetricDefinition[]): string =>
  ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows.map(rowOf)].join('\n')

const rowOf = ({ name, type, labels, help }: MetricDefinition): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help}. |`

const labels = (): string =>
  [
    '## Labels',
    '',
    'Each has few values: no label holds the id of a release, a rollout, an instance or a route.',
    '',
    '| label | values |',
    '|---|---|',
    ...Object.entries(LABELS).map(([label, values]) => `| \`${label}\` | ${values} |`),
  ].join('\n')

const INTRODUCTION = `<!-- Made by "npm run generate" from src/telemetry. Do not edit. -->
# Metrics

Text for Prometheus, or OpenMetrics when the \`Accept\` header asks for it.
On the private socket they are open; on TCP they need the token of the API or the read-only one in \`.sluice/scrape-token\`.
[How to monitor Sluice](../how-to/monitor-sluice.md) has the configuration of a scraper, alert rules and a dashboard.`
