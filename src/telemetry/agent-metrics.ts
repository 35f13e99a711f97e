import type { MetricDefinition } from './metric-definition.ts'

/** What the agent exports. */
export const AGENT_METRICS = [
  {
    name: 'sluice_agent_instances',
    type: 'gauge',
    help: 'Instances by state, those that ended lately included',
    labels: ['stream', 'state'],
  },
  {
    name: 'sluice_agent_crashes_total',
    type: 'counter',
    help: 'Unplanned ends of instances',
    labels: ['stream'],
  },
  {
    name: 'sluice_agent_restarts_total',
    type: 'counter',
    help: 'Instances that were started again after an unplanned end',
    labels: ['stream'],
  },
  {
    name: 'sluice_agent_errors_total',
    type: 'counter',
    help: 'Errors that instances wrote to their output',
    labels: ['stream'],
  },
  {
    name: 'sluice_agent_unread_output_bytes_total',
    type: 'counter',
    help: 'Output that was gone before it could be read for errors',
    labels: ['stream'],
  },
  {
    name: 'sluice_instance_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of all processes of the instances of a version, ended ones included',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_instance_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of all processes of the instances of a version',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_instance_disk_read_bytes_total',
    type: 'counter',
    help: 'Bytes that the instances of a version made disks read',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_instance_disk_written_bytes_total',
    type: 'counter',
    help: 'Bytes that the instances of a version made disks write',
    labels: ['stream', 'version'],
  },
  {
    name: 'sluice_named_check_failing',
    type: 'gauge',
    help: 'Ready instances of a version on which a named check of health fails; 0 where it is known to pass',
    labels: ['stream', 'version', 'check'],
  },
  {
    name: 'sluice_agent_look_age_seconds',
    type: 'gauge',
    help: 'Since the agent last looked after its instances; it looks ten times a second',
    labels: [],
  },
] as const satisfies readonly MetricDefinition[]
