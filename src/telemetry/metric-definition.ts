/** One metric as it is exported and documented. Names follow the conventions of Prometheus: base units, `_total` for counters. */
export type MetricDefinition = {
  name: string
  type: 'counter' | 'gauge' | 'histogram'
  /** One sentence, without a full stop at its end; `# HELP` and the reference show it. */
  help: string
  /** Bounded sets only: never the id of a release or a rollout, never a route. */
  labels: readonly string[]
  /** Upper bounds of a histogram, in seconds. */
  bounds?: readonly number[]
}

/** The labels that metrics may have, and what bounds their values. */
export const LABELS = {
  check: 'a named check of health, as configured: `database`',
  channel: 'a notification channel with its service, as configured: `shop.local/ops`',
  cause: 'how routes came to differ: `edited`, `lost`, `reverted`',
  code: 'a code of the [catalogue](../errors.md)',
  component: '`controller`, `proxy` or `agent`',
  event: 'the kind of an event of the journal',
  limit: '`requests` (at the same time) or `rate` (a second)',
  fault: '`connect_failure`, `reset`, `timeout`, `client_abort` or `cut_on_drain`',
  effect:
    'the kind of an effect: `start-set`, `adopt-set`, `stop-set`, `release-set`, `set-routes`, `finalize`',
  kind: '`wanted` is what was decided, `observed` is what the router has',
  node: 'the version of Node',
  operation: 'the name of an operation of the store',
  outcome: '`promoted`, `rolled_back`, `aborted`, `superseded` or `failed`',
  part: '`store`, `leases`, `proxy` or `agent`',
  result: 'how it ended; the help of the metric lists the values',
  role: '`stable` or `candidate`',
  source: 'the kind of a metric source',
  state: 'the state of an instance',
  status: 'the class of the status of an answer: `1xx` to `5xx`',
  step: 'the kind of a step: `provision`, `traffic`, `observe`, `watch`, `promote`, `drain`, `retire`; `return` on the way back',
  stream: 'a service in an environment: `shop.local`',
  version:
    'of Sluice in `sluice_build_info`; of the service elsewhere, and only versions that have routes or instances now',
  waiting_on: 'what the rollout waits for: `time`, `person`, `instances`, `router`, `data`, ...',
} as const
