import * as z from 'zod'
import { Name } from '../core/release/settings.ts'
import { RouterName } from '../core/shared/router-ability.ts'
import { complain } from './complaint.ts'
import { DEFAULT_NOTIFY_ON, DEFAULT_REVERT_AFTER, DEFAULTS } from './defaults.ts'
import * as s from './scalars.ts'
import { AlsoSection } from './schema-also.ts'
import { AnalysisSection } from './schema-analysis.ts'
import { entryKeys } from './schema-entry.ts'
import { HealthOverrides, HealthSection } from './schema-health.ts'
import { AccessLogSection, LimitsSection } from './schema-requests.ts'
import { RiskSection } from './schema-risk.ts'
import { RollbackSection } from './schema-rollback.ts'
import { hasProgram, RunSection, TARGETS } from './schema-run.ts'
import { StrategySection } from './schema-strategy.ts'
import { VerifySection } from './schema-verify.ts'
import { WindowsSection } from './schema-windows.ts'

const HOUR_MS = 3_600_000
const MAX_CHANNELS = 20
/** Every service is checked in every environment: the product of the two must stay small. */
const MAX_SERVICES = 200
const MAX_ENVIRONMENTS = 50

/** Refuses a mapping with more entries than `max`. */
const atMost = (max: number) => (entries: object, context: z.RefinementCtx) => {
  const count = Object.keys(entries).length
  if (count > max)
    complain(context, {
      code: 'CONFIG_OUT_OF_RANGE',
      message: `has ${count} entries, but must have at most ${max}`,
      remedy: 'Split the file: each service can have a file of its own.',
    })
}
const DrainSection = z.strictObject({
  requests: s
    .duration({ maxMs: HOUR_MS })
    .meta({ default: DEFAULTS.drain.requests })
    .describe('Running requests may go on this long after their instance began to drain.')
    .optional(),
  websockets: s
    .duration({ maxMs: 24 * HOUR_MS })
    .meta({ default: DEFAULTS.drain.websockets })
    .describe('WebSockets and event streams are closed gracefully, spread over this time.')
    .optional(),
})

const ControllerLoss = z.union([
  z.enum(['hold', 'revert']),
  z.strictObject({
    revert: z.strictObject({
      after: s
        .duration({ minMs: 1000 })
        .meta({ default: DEFAULT_REVERT_AFTER })
        .describe('Time without a word from the controller.')
        .optional(),
    }),
  }),
])

const ProberSection = z.union([
  z.literal('off'),
  z.strictObject({
    paths: z
      .array(s.urlPath())
      .min(1)
      .max(100)
      .meta({ title: 'list of paths' })
      .describe('Paths that are safe to repeat. Default: the health path.')
      .optional(),
    interval: s
      .duration({ minMs: 20, maxMs: HOUR_MS })
      .meta({ default: DEFAULTS.prober.interval })
      .describe('Time between two requests.')
      .optional(),
  }),
])

const channelName = z
  .string()
  .min(1)
  .max(100)
  .meta({ title: 'text' })
  .describe('Name of the channel, as it appears in the journal.')
const channelOn = z
  .array(z.string().min(1).max(100))
  .min(1)
  .meta({ title: 'list of event types', default: DEFAULT_NOTIFY_ON })
  .describe('Event types that are sent, for example `rollout.rolled_back`. `*` stands for any.')
  .optional()

const ChannelSection = z.union([
  z.strictObject({
    name: channelName,
    webhook: s.webhookUrl().describe('Messages are posted to this URL.'),
    secret: s
      .secretName()
      .describe('Name of the secret that signs the messages. Never write its value here.'),
    on: channelOn,
  }),
  z.strictObject({
    name: channelName,
    command: s.command().describe('This program gets the message on its standard input.'),
    on: channelOn,
  }),
])

const serviceKeys = {
  run: RunSection.superRefine(hasProgram).describe('What runs.'),
  target: z
    .enum(TARGETS)
    .meta({ title: 'processes or docker' })
    .describe(
      'What instances are: processes of this machine, from `run.artifact`, or containers of the Docker Engine, from `run.image`. Where only one of the two is described, that one.',
    )
    .optional(),
  listen: s
    .listenAddressOrNone()
    .describe(
      'Where the data plane takes the traffic of the service. A bare port means 127.0.0.1. `none`: a worker, which takes its work from elsewhere; a share of it is a share of the instances.',
    ),
  ...entryKeys,
  health: HealthSection.describe('How an instance is asked whether it can take traffic.'),
  drain: DrainSection.describe('How long work may go on when an instance leaves.').optional(),
  strategy: StrategySection.describe('How a release comes into production.').optional(),
  analysis: AnalysisSection.describe(
    'How a candidate is judged. `default` is what stands here without the key.',
  ).optional(),
  verify: VerifySection.meta({ title: 'list', default: DEFAULTS.verify })
    .describe(
      'What a release must pass: requests, journeys of requests and programs. A candidate that fails before it has traffic gets none; one that fails with all of it goes back.',
    )
    .optional(),
  rollback: RollbackSection.describe(
    'What follows a failure, and which way back is the fast one.',
  ).optional(),
  risk: RiskSection.describe(
    'What is declared about the service: the risk of a plan is judged by it where nothing is measured, and a strategy is recommended by it.',
  ).optional(),
  onControllerLoss: ControllerLoss.meta({
    title: 'hold, revert or mapping',
    default: DEFAULTS.onControllerLoss,
  })
    .describe(
      'What the data plane does when no controller speaks to it: `hold` the weights, or `revert` to stable after a time (10m).',
    )
    .optional(),
  router: z
    .enum([...RouterName.options, 'auto'])
    .meta({ title: 'builtin, haproxy, nginx or auto', default: DEFAULTS.router })
    .describe(
      'Who sends requests to instances: the built-in proxy, or the HAProxy or nginx that is installed on this machine, run by Sluice with a configuration of its own. `auto`: HAProxy where it is installed, else the built-in proxy. What a router cannot do is refused by the plan.',
    )
    .optional(),
  also: AlsoSection,
  limits: LimitsSection,
  accessLog: AccessLogSection,
  drift: z
    .enum(['correct', 'hold'])
    .meta({ title: 'correct or hold', default: DEFAULTS.drift })
    .describe(
      'What happens when somebody else changes the weights on the router: `correct` sets ours again at once, `hold` reports it and leaves everything on the router as it is until `sluice resume` or `sluice abort`. Weights that come back three times within 15 minutes are held in either case.',
    )
    .optional(),
  windows: WindowsSection.meta({ title: 'list', default: DEFAULTS.windows })
    .describe(
      'Hours in which a rollout may begin. Outside of them a deployment waits for the next one. A rollout that has begun goes on, and rollback and abort are possible at any time. Without windows it is always open.',
    )
    .optional(),
  onFreeze: z
    .enum(['hold', 'return'])
    .meta({ title: 'hold or return', default: DEFAULTS.onFreeze })
    .describe(
      'What a rollout in progress does when `sluice freeze` stops its environment: `hold` the present weight and go on afterwards, or `return` all traffic to stable.',
    )
    .optional(),
  prober: ProberSection.describe('Requests of our own that measure each rollout, or `off`.').optional(),
  notify: z
    .array(ChannelSection)
    .max(MAX_CHANNELS)
    .meta({ title: 'list', default: DEFAULTS.notify })
    .describe('Who is told.')
    .optional(),
}

/** What an environment may change: the same keys, all optional. */
export const Overrides = z.strictObject({
  ...serviceKeys,
  run: RunSection.partial()
    .describe('Changes to run. Variables are merged one by one, lists are replaced.')
    .optional(),
  listen: serviceKeys.listen.optional(),
  health: HealthOverrides.describe('Changes to health.').optional(),
})
export type Overrides = z.output<typeof Overrides>

const production = z
  .boolean()
  .meta({ title: 'true or false', default: false })
  .describe('Marks production. An environment named production or prod is always marked.')
  .optional()

const Environment = z.strictObject({ production, ...Overrides.shape })
const EnvironmentOfMany = z.strictObject({
  production,
  ...Overrides.shape,
  services: z.record(Name, Overrides).describe('Changes to single services.').optional(),
})
export type EnvironmentOfMany = z.output<typeof EnvironmentOfMany>

const environmentsText =
  'Environments by name, each with what differs there. `local` is implied. A key that is not named keeps its value.'

/** The file with one service. */
export const SingleFile = z.strictObject({
  service: Name.meta({ title: 'name' }).describe(
    'Name of the service: lower-case letters, digits and dashes.',
  ),
  ...serviceKeys,
  environments: z
    .record(Name, Environment)
    .superRefine(atMost(MAX_ENVIRONMENTS))
    .describe(environmentsText)
    .optional(),
})
export type SingleFile = z.output<typeof SingleFile>

/** The file with several services. */
export const ManyFile = z.strictObject({
  services: z
    .record(Name, z.strictObject(serviceKeys))
    .superRefine(atMost(MAX_SERVICES))
    .refine((services) => Object.keys(services).length > 0, {
      params: {
        code: 'CONFIG_MISSING_KEY',
        remedy: 'Add a service, for example shop: { run: ..., listen: ..., health: ... }.',
      },
      message: 'has no service',
    })
    .describe('The services by name, each with the keys of a service.'),
  environments: z
    .record(Name, EnvironmentOfMany)
    .superRefine(atMost(MAX_ENVIRONMENTS))
    .describe(environmentsText)
    .optional(),
})
export type ManyFile = z.output<typeof ManyFile>

/** Both forms of `sluice.yaml`. */
export const SluiceFile = z.union([SingleFile, ManyFile])
