import type { MetricDefinition } from './metric-definition.ts'

/** What each of the three processes exports about itself. The names are those of other exporters, so that boards fit. */
export const PROCESS_METRICS = [
  {
    name: 'sluice_build_info',
    type: 'gauge',
    help: 'Always 1; the labels name what runs',
    labels: ['component', 'version', 'node'],
  },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the process was started, in seconds since the Unix epoch',
    labels: [],
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of the process, user and system',
    labels: [],
  },
  { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Memory that the process holds', labels: [] },
  { name: 'process_open_fds', type: 'gauge', help: 'Open file descriptors, on Linux', labels: [] },
  {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    help: 'Memory that the JavaScript heap uses',
    labels: [],
  },
] as const satisfies readonly MetricDefinition[]
