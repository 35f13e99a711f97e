import type { MetricDefinition } from './metric-definition.ts'

/** From a write in memory to one on a tired disk. */
const CALL_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** The loop looks every 150 ms to 1 s, so a lag above that is felt. */
const LAG_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** From a rollback in a second to a release that is watched for days. */
const ROLLOUT_BOUNDS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400, 259_200]
const ROLLBACK_BOUNDS = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600]

const ROLLOUT_METRICS = [
  {
    name: 'sluice_events_total',
    type: 'counter',
    help: 'Events that this controller appended to the journal',
    labels: ['event'],
  },
  {
    name: 'sluice_rollouts_total',
    type: 'counter',
    help: 'Rollouts that reached their outcome, those that never left the queue included',
    labels: ['stream', 'outcome'],
  },
  {
    name: 'sluice_rollout_duration_seconds',
    type: 'histogram',
    help: 'From the beginning of a rollout to its outcome',
    labels: ['outcome'],
    bounds: ROLLOUT_BOUNDS,
  },
  {
    name: 'sluice_step_duration_seconds',
    type: 'histogram',
    help: 'Time that rollouts spent in a step',
    labels: ['step'],
    bounds: ROLLOUT_BOUNDS,
  },
  {
    name: 'sluice_rollback_duration_seconds',
    type: 'histogram',
    help: 'From the verdict against a candidate to the confirmation that it has no traffic',
    labels: [],
    bounds: ROLLBACK_BOUNDS,
  },
  {
    name: 'sluice_rollouts_in_progress',
    type: 'gauge',
    help: '1 while a rollout of the service is on its way or going back',
    labels: ['stream'],
  },
  {
    name: 'sluice_rollout_step_seconds',
    type: 'gauge',
    help: 'How long the rollout in progress has been in its present step',
    labels: ['stream', 'step', 'waiting_on'],
  },
  {
    name: 'sluice_rollback_in_progress_seconds',
    type: 'gauge',
    help: 'Since the verdict, while a candidate still has traffic on the way back',
    labels: ['stream'],
  },
  {
    name: 'sluice_traffic_weight_ratio',
    type: 'gauge',
    help: 'Share of traffic, 0 to 1',
    labels: ['stream', 'role', 'kind'],
  },
  {
    name: 'sluice_drift_total',
    type: 'counter',
    help: 'Times the routes were seen to differ from what was confirmed',
    labels: ['stream', 'cause'],
  },
  {
    name: 'sluice_drift_held',
    type: 'gauge',
    help: '1 while foreign routes are left alone',
    labels: ['stream'],
  },
  { name: 'sluice_freeze_active', type: 'gauge', help: '1 while nothing new may begin', labels: ['stream'] },
  {
    name: 'sluice_breaker_open',
    type: 'gauge',
    help: '1 while the circuit breaker refuses deploys',
    labels: ['stream'],
  },
  {
    name: 'sluice_troubles',
    type: 'gauge',
    help: 'Parts and effects of the service that do not work now',
    labels: ['stream'],
  },
  { name: 'sluice_queue_length', type: 'gauge', help: 'Rollouts that wait for their turn', labels: [] },
  {
    name: 'sluice_queue_oldest_seconds',
    type: 'gauge',
    help: 'How long the oldest of them has waited since it might have begun; 0 when none waits',
    labels: [],
  },
] as const satisfies readonly MetricDefinition[]

const ENGINE_METRICS = [
  {
    name: 'sluice_tick_lag_seconds',
    type: 'histogram',
    help: 'How late a look at a service was begun',
    labels: [],
    bounds: LAG_BOUNDS,
  },
  {
    name: 'sluice_tick_duration_seconds',
    type: 'histogram',
    help: 'Time for one look at a service, with the decision that follows',
    labels: [],
    bounds: CALL_BOUNDS,
  },
  {
    name: 'sluice_tick_age_seconds',
    type: 'gauge',
    help: 'Since the last look at a service that this controller looks after',
    labels: ['stream'],
  },
  {
    name: 'sluice_effects_total',
    type: 'counter',
    help: 'Effects that were performed; result is ok or failed',
    labels: ['effect', 'result'],
  },
  {
    name: 'sluice_effect_retries_total',
    type: 'counter',
    help: 'Effects that were performed again because the attempt before had failed',
    labels: ['effect'],
  },
  {
    name: 'sluice_effect_duration_seconds',
    type: 'histogram',
    help: 'Time until target or router answered',
    labels: ['effect'],
    bounds: CALL_BOUNDS,
  },
  {
    name: 'sluice_leases_held',
    type: 'gauge',
    help: 'Services that this controller looks after',
    labels: [],
  },
  { name: 'sluice_leases_taken_total', type: 'counter', help: 'Leases taken or raised', labels: [] },
  {
    name: 'sluice_leases_lost_total',
    type: 'counter',
    help: 'Leases that ran out or went to another controller',
    labels: [],
  },
] as const satisfies readonly MetricDefinition[]

const PARTS_METRICS = [
  {
    name: 'sluice_store_operation_duration_seconds',
    type: 'histogram',
    help: 'Time until the store answered',
    labels: ['operation'],
    bounds: CALL_BOUNDS,
  },
  {
    name: 'sluice_store_failures_total',
    type: 'counter',
    help: 'Operations that the store refused or could not do; STORE_CONFLICT is part of normal work',
    labels: ['operation', 'code'],
  },
  {
    name: 'sluice_part_up',
    type: 'gauge',
    help: '1 while a part works that the controller needs, as in /readyz',
    labels: ['part'],
  },
  {
    name: 'sluice_provider_queries_total',
    type: 'counter',
    help: 'Questions to a metric source; result is samples, no-data or failure',
    labels: ['source', 'result'],
  },
  {
    name: 'sluice_provider_query_duration_seconds',
    type: 'histogram',
    help: 'Time until a metric source answered',
    labels: ['source'],
    bounds: CALL_BOUNDS,
  },
  {
    name: 'sluice_notifications_total',
    type: 'counter',
    help: 'Attempts to deliver a message; result is delivered, retry or dead',
    labels: ['channel', 'result'],
  },
  {
    name: 'sluice_outbox_waiting',
    type: 'gauge',
    help: 'Messages that wait for delivery, among the last 1,000 of all services',
    labels: [],
  },
  {
    name: 'sluice_outbox_oldest_seconds',
    type: 'gauge',
    help: 'Age of the oldest of them; 0 when none waits',
    labels: [],
  },
  {
    name: 'sluice_outbox_failed',
    type: 'gauge',
    help: 'Messages that were given up, among the last 1,000 of all services',
    labels: [],
  },
  {
    name: 'sluice_backup_age_seconds',
    type: 'gauge',
    help: 'Age of the newest backup in the state folder; missing when there is none, and for a store on a server',
    labels: [],
  },
  {
    name: 'sluice_clock_step_seconds',
    type: 'gauge',
    help: 'How far the wall clock was moved since the process was started; forward is positive',
    labels: [],
  },
] as const satisfies readonly MetricDefinition[]

/** What the controller exports. Gauges about services cover those that it looks after, so several controllers add up. */
export const CONTROLLER_METRICS = [...ROLLOUT_METRICS, ...ENGINE_METRICS, ...PARTS_METRICS] as const
