import { LATENCY_BOUNDS_MS } from '../core/shared/histogram.ts'
import type { MetricDefinition } from './metric-definition.ts'

/** What the proxy exports. It counts for the analysis anyway; exporting costs nothing but the scrape. */
export const PROXY_METRICS = [
  {
    name: 'sluice_proxy_requests_total',
    type: 'counter',
    help: 'Answers that reached the client completely; probes are not counted',
    labels: ['stream', 'version', 'status'],
  },
  {
    name: 'sluice_proxy_request_duration_seconds',
    type: 'histogram',
    help: 'From the first byte of a request to its complete answer',
    labels: ['stream', 'version'],
    bounds: LATENCY_BOUNDS_MS.map((boundMs) => boundMs / 1000),
  },
  {
    name: 'sluice_proxy_requests_in_flight',
    type: 'gauge',
    help: 'Requests that instances work on now',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_proxy_websockets_open',
    type: 'gauge',
    help: 'Open WebSockets',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_proxy_request_faults_total',
    type: 'counter',
    help: 'Requests that met a fault on the way; a refused connection may have been made good by another instance',
    labels: ['stream', 'version', 'fault'],
  },
  {
    name: 'sluice_proxy_retries_total',
    type: 'counter',
    help: 'Requests that went to another instance or connection without the client noticing',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_proxy_request_bytes_total',
    type: 'counter',
    help: 'Bodies of requests that were passed to instances, and what clients sent on WebSockets; probes are not counted',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_proxy_response_bytes_total',
    type: 'counter',
    help: 'Bodies of answers that were passed to clients, and what instances sent on WebSockets; probes are not counted',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_proxy_unroutable_total',
    type: 'counter',
    help: 'Requests that no instance could take: lost',
    labels: ['stream'],
  },
  {
    name: 'sluice_proxy_closed_total',
    type: 'counter',
    help: 'Requests turned away while the service was closed by a plan (recreate): lost, as declared',
    labels: ['stream'],
  },
  {
    name: 'sluice_proxy_refused_total',
    type: 'counter',
    help: 'Requests refused as malformed or over a limit',
    labels: ['stream'],
  },
  {
    name: 'sluice_proxy_limited_total',
    type: 'counter',
    help: 'Requests turned away by a limit of the service (`limits`), which are among the refused, too; by the limit: at the same time (`requests`) or a second (`rate`)',
    labels: ['stream', 'limit'],
  },
  {
    name: 'sluice_proxy_ejections_total',
    type: 'counter',
    help: 'Times that an instance was left out because it failed requests in a row (`health.outlier`)',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_proxy_instances_ejected',
    type: 'gauge',
    help: 'Instances that get no new requests now because they failed requests in a row',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_proxy_weight_ratio',
    type: 'gauge',
    help: 'Share of new requests of a version, 0 to 1, as it is in force',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_proxy_listening',
    type: 'gauge',
    help: '1 while the address of the service takes connections',
    labels: ['stream'],
  },
  {
    name: 'sluice_proxy_reverted',
    type: 'gauge',
    help: '1 after the proxy returned traffic to stable by itself, because no controller spoke to it',
    labels: ['stream'],
  },
  {
    name: 'sluice_proxy_controller_silence_seconds',
    type: 'gauge',
    help: 'Since a controller last spoke to the proxy',
    labels: [],
  },
  {
    name: 'sluice_proxy_bugs_total',
    type: 'counter',
    help: 'Errors that nothing caught; each is a line in the log',
    labels: [],
  },
] as const satisfies readonly MetricDefinition[]
