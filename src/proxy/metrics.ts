import { LATENCY_BUCKETS } from '../core/shared/histogram.ts'
import type { InstanceTraffic } from '../core/shared/router-state.ts'
import type { ServiceCounts } from '../core/shared/traffic-counts.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'
import type { LabelsOf } from '../telemetry/metric-table.ts'
import { distribution, type Sample, sample } from '../telemetry/sample.ts'
import type { MetricSums } from './handover/messages.ts'
import type { Service } from './service.ts'
import type { Sight } from './sight.ts'
import type { Table } from './table.ts'

/** What the process knows besides its services. */
export type ProxyFacts = { silentMs: number; bugs: number }

/** The numbers of all processes of the data plane, from counters that are kept anyway. Read when somebody asks; requests pay nothing. */
export function proxySamples(
  { inForce, sight }: Pick<Table, 'inForce' | 'sight'>,
  { silentMs, bugs }: ProxyFacts,
): Sample[] {
  return [
    ...inForce.flatMap((service) => serviceSamples(service, sight)),
    sample('sluice_proxy_controller_silence_seconds', {}, silentMs / 1000),
    sample('sluice_proxy_bugs_total', {}, bugs),
  ]
}

function serviceSamples(service: Service, sight: Sight): Sample[] {
  const { name: stream } = service
  // Releases that have no routes any more leave, so that old versions do not pile up; two may share a version.
  const versions = Map.groupBy(service.setsInForce, ({ version }) => version)
  const counts = sight.counts(stream)
  const limited = sight.followers.addLimited(service.admission.limited, stream)
  const seen = { counts, sums: sight.sums(stream), traffic: sight.traffic(stream) }
  return [
    sample('sluice_proxy_unroutable_total', { stream }, counts?.unroutable ?? 0),
    sample('sluice_proxy_closed_total', { stream }, counts?.closed ?? 0),
    sample('sluice_proxy_refused_total', { stream }, counts?.refused ?? 0),
    sample('sluice_proxy_limited_total', { stream, limit: 'requests' }, limited.requests),
    sample('sluice_proxy_limited_total', { stream, limit: 'rate' }, limited.rate),
    sample('sluice_proxy_listening', { stream }, service.listener === null ? 0 : 1),
    sample('sluice_proxy_reverted', { stream }, service.reverted === null ? 0 : 1),
    ...[...versions].flatMap(([version, sets]) => {
      const permille = sets.reduce((sum, { weightPermille }) => sum + weightPermille, 0)
      const ids = new Set(sets.map(({ release }) => release))
      return [
        sample('sluice_proxy_weight_ratio', { stream, version }, permille / TOTAL_PERMILLE),
        ...loadSamples(seen, ids, { stream, version }),
        ...countSamples(seen, ids, { stream, version }),
      ]
    }),
  ]
}

/** What all processes did for one service. */
type Seen = { counts: ServiceCounts | null; sums: MetricSums; traffic: readonly InstanceTraffic[] }

type Labels = LabelsOf<'sluice_proxy_requests_in_flight'>

function loadSamples(seen: Seen, releases: ReadonlySet<string>, labels: Labels): Sample[] {
  const traffic = seen.traffic.filter(({ release }) => releases.has(release))
  return [
    sample('sluice_proxy_requests_in_flight', labels, sum(traffic.map(({ inFlight }) => inFlight))),
    sample('sluice_proxy_websockets_open', labels, sum(traffic.map(({ websockets }) => websockets))),
    sample(
      'sluice_proxy_instances_ejected',
      labels,
      traffic.filter(({ ejected }) => ejected !== undefined).length,
    ),
    sample(
      'sluice_proxy_ejections_total',
      labels,
      sum([...releases].map((release) => seen.sums[release]?.ejections ?? 0)),
    ),
  ]
}

const STATUSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const
const FAULTS = [
  ['connect_failure', 'connectFailures'],
  ['reset', 'resets'],
  ['timeout', 'timeouts'],
  ['client_abort', 'clientAborts'],
  ['cut_on_drain', 'cutOnDrain'],
] as const

function countSamples({ counts, sums }: Seen, ids: ReadonlySet<string>, labels: Labels): Sample[] {
  const totals = (counts?.releases ?? []).flatMap(({ release, total }) => (ids.has(release) ? [total] : []))
  const buckets = Array.from({ length: LATENCY_BUCKETS }, (_, index) =>
    sum(totals.map(({ latencyBuckets }) => latencyBuckets[index] ?? 0)),
  )
  const sumMs = sum([...ids].map((release) => sums[release]?.latencySumMs ?? 0))
  return [
    ...STATUSES.map((status) =>
      sample(
        'sluice_proxy_requests_total',
        { ...labels, status },
        sum(totals.map((total) => total.status[status])),
      ),
    ),
    ...FAULTS.map(([fault, key]) =>
      sample(
        'sluice_proxy_request_faults_total',
        { ...labels, fault },
        sum(totals.map((total) => total[key])),
      ),
    ),
    sample('sluice_proxy_retries_total', labels, sum(totals.map(({ retries }) => retries))),
    sample('sluice_proxy_request_bytes_total', labels, sum(totals.map(({ bytesIn }) => bytesIn))),
    sample('sluice_proxy_response_bytes_total', labels, sum(totals.map(({ bytesOut }) => bytesOut))),
    distribution('sluice_proxy_request_duration_seconds', labels, { buckets, sum: sumMs / 1000 }),
  ]
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
