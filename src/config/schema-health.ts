import * as z from 'zod'
import type { HealthCheck, LiveProbe, NamedCheck, StartProbe } from '../core/shared/health-check.ts'
import { complain, MISSING } from './complaint.ts'
import { DEFAULT_RUNS, DEFAULTS, LIVE_DEFAULTS, NAMED_CHECK_DEFAULTS, START_DEFAULTS } from './defaults.ts'
import * as s from './scalars.ts'
import { OutlierSection } from './schema-requests.ts'
import { msOf } from './units.ts'

const HOUR_MS = 3_600_000
const PLAIN_NUMBER = { title: 'whole number' }
/** Each is asked again and again, on every host: more belong into a monitoring of their own. */
const MAX_NAMED_CHECKS = 50
const MAX_GRPC_NAME = 300

const GrpcSection = z.strictObject({
  service: z
    .string()
    .min(1)
    .max(MAX_GRPC_NAME)
    .meta({ title: 'text' })
    .describe('The name that is asked about, for example `shop.Orders`; the server as a whole without it.')
    .optional(),
})
type GrpcSection = z.output<typeof GrpcSection>

const path = s.urlPath()
const grpc = GrpcSection.meta({ title: 'mapping' })
const tcp = z.literal(true).meta({ title: 'true' })

/** The ways to ask one instance. */
const askedByLive = {
  path: path.describe('Must answer 2xx. Redirects are not followed.').optional(),
  tcp: tcp.describe('The port of the instance must take a connection.').optional(),
  grpc: grpc.describe('The gRPC health protocol must say SERVING, over HTTP/2 without TLS.').optional(),
  command: s.command().describe('A program that must end with code 0, as with `health.command`.').optional(),
}
const WAYS = ['path', 'tcp', 'grpc', 'command', 'runs'] as const
type Way = (typeof WAYS)[number]
/** Whoever can be asked. */
const ASKED_WAYS: readonly Way[] = ['path', 'tcp', 'grpc', 'command']

const interval = (of: string) =>
  s
    .duration({ minMs: 10, maxMs: HOUR_MS })
    .meta({ default: of })
    .describe('Time between two checks.')
    .optional()
const timeout = (of: string) =>
  s
    .duration({ minMs: 10, maxMs: HOUR_MS })
    .meta({ default: of })
    .describe('A slower answer counts as failed.')
    .optional()
const timesInARow = (of: number, text: string) =>
  z
    .int()
    .min(1)
    .max(100)
    .meta({ ...PLAIN_NUMBER, default: of })
    .describe(text)
    .optional()

const StartSection = z
  .strictObject({
    ...askedByLive,
    interval: interval(START_DEFAULTS.interval),
    timeout: timeout(START_DEFAULTS.timeout),
    deadline: s
      .duration({ minMs: 100, maxMs: 24 * HOUR_MS })
      .meta({ default: START_DEFAULTS.deadline })
      .describe(
        'An instance that has not started this long after its process began has failed. `health.deadline` begins after it.',
      )
      .optional(),
  })
  .superRefine(oneToAsk)

const LiveSection = z
  .strictObject({
    ...askedByLive,
    interval: interval(LIVE_DEFAULTS.interval),
    timeout: timeout(LIVE_DEFAULTS.timeout),
    failures: timesInARow(LIVE_DEFAULTS.failures, 'Failures in a row until the instance is restarted.'),
  })
  .superRefine(oneToAsk)

const NamedCheckSection = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(100)
      .meta({ title: 'text' })
      .describe('How people know the check, for example `database`.'),
    kind: z
      .enum(['dependency', 'job'])
      .meta({ title: 'dependency or job', default: NAMED_CHECK_DEFAULTS.kind })
      .describe('Something that the service needs, or work that it does in the background.')
      .optional(),
    path: path.describe('Each instance must answer 2xx.').optional(),
    grpc: grpc.describe('Each instance must say SERVING.').optional(),
    tcp: s
      .connectAddress()
      .describe('This address must take a connection, from the machine of the instances.')
      .optional(),
    command: s
      .command()
      .describe('A program that must end with code 0. It is run for one instance of a release.')
      .optional(),
    every: s
      .duration({ minMs: 100, maxMs: 24 * HOUR_MS })
      .meta({ default: NAMED_CHECK_DEFAULTS.every })
      .describe('Time between two looks. After a failure the next one comes within 5 seconds.')
      .optional(),
    timeout: timeout(NAMED_CHECK_DEFAULTS.timeout),
    failures: timesInARow(
      NAMED_CHECK_DEFAULTS.failures,
      'Failures in a row until the check counts as failing.',
    ),
    onFailure: z
      .enum(['report', 'warning', 'critical'])
      .meta({ title: 'report, warning or critical', default: NAMED_CHECK_DEFAULTS.onFailure })
      .describe(
        'What follows when the candidate fails it and stable does not: `report` tells it, `warning` pauses the rollout, `critical` rolls back. Where stable fails it too, it is reported and nothing else.',
      )
      .optional(),
  })
  .superRefine(oneToAsk)

/** Of a service, and of an environment that changes it. */
const healthKeys = {
  path: path
    .describe(
      'An instance is healthy when this path answers 2xx. Redirects are not followed. One of `path`, `tcp`, `grpc` and `command` is needed; a worker may have `runs` instead.',
    )
    .optional(),
  tcp: tcp.describe('An instance is healthy when its port takes a connection.').optional(),
  grpc: grpc
    .describe(
      'An instance is healthy when it says SERVING by the gRPC health protocol, over HTTP/2 without TLS. `{}` asks about the server as a whole.',
    )
    .optional(),
  command: s
    .command()
    .describe(
      'An instance is healthy when this program ends with code 0. It runs without a shell in the folder of the release, with the variables of the instance; `{{port}}` becomes its port.',
    )
    .optional(),
  runs: s
    .duration({ minMs: 100, maxMs: HOUR_MS })
    .describe(
      'Workers only (`listen: none`), for those that nobody can ask: one is ready once it has run for this long without ending, and well for as long as it runs. `health: none` is `{ runs: 10s }`.',
    )
    .optional(),
  interval: interval(DEFAULTS.health.interval),
  timeout: timeout(DEFAULTS.health.timeout),
  successes: timesInARow(DEFAULTS.health.successes, 'Successes in a row until an instance is ready.'),
  failures: timesInARow(
    DEFAULTS.health.failures,
    'Failures in a row until a ready instance counts as unready: it gets no traffic, and runs on.',
  ),
  deadline: s
    .duration({ minMs: 100, maxMs: 24 * HOUR_MS })
    .meta({ default: DEFAULTS.health.deadline })
    .describe(
      'An instance that is not ready this long after its start has failed. `live` does not ask before it is ready.',
    )
    .optional(),
  start: z
    .union([z.literal('off'), StartSection])
    .meta({ title: 'off or mapping', default: DEFAULTS.health.start })
    .describe(
      'For what boots slowly: asked from the start of a process until it passes once, with a deadline of its own. Before that an instance is asked neither whether it is ready nor whether it is alive, and what fails counts against nobody.',
    )
    .optional(),
  live: z
    .union([z.literal('off'), LiveSection])
    .meta({ title: 'off or mapping', default: DEFAULTS.health.live })
    .describe(
      'Asked of an instance that has started: one that fails again and again is restarted, one of a release at a time. Not being ready never restarts an instance.',
    )
    .optional(),
  checks: z
    .array(NamedCheckSection)
    .max(MAX_NAMED_CHECKS)
    .superRefine((checks, context) => {
      const names = checks.map(({ name }) => name)
      for (const [index, name] of names.entries())
        if (names.indexOf(name) < index) complain(context, sameName(name), [index, 'name'])
    })
    .transform((checks) => checks.map(namedCheckOf))
    .meta({ title: 'list', default: DEFAULTS.health.checks })
    .describe(
      'What the service needs and does beside answering requests: looked at for as long as a release runs, shown by `sluice status`, and compared with stable during a rollout.',
    )
    .optional(),
  slowStart: s
    .duration({ maxMs: HOUR_MS })
    .meta({ default: DEFAULTS.health.slowStart })
    .describe(
      'An instance that joins others of its release which serve already gets a growing share of their requests over this time, from 1% of a full one up. `0s` gives it a full share at once. Shares between versions are not touched.',
    )
    .optional(),
  outlier: OutlierSection,
}

const Section = z.strictObject(healthKeys).superRefine((health, context) => {
  if (waysIn(health).length === 0) complain(context, MISSING, ['path'])
  else exactlyOne(health, context)
})
/** Nobody can be asked. */
const None = z.literal('none').transform((): z.output<typeof Section> => ({ runs: msOf(DEFAULT_RUNS) }))
export const HealthSection = z.union([None, Section])
/** An environment may ask in another way than the service: then its way is the one. */
const Changes = z.strictObject(healthKeys).superRefine((health, context) => {
  if (waysIn(health).length > 0) exactlyOne(health, context)
})
export const HealthOverrides = z.union([None, Changes])
type HealthKeys = z.output<typeof Changes>

const waysIn = (section: Partial<Record<Way, unknown>>): Way[] =>
  WAYS.filter((way) => section[way] !== undefined)

type Ways = Partial<Record<Way, unknown>>

const exactlyOne = (section: Ways, context: z.RefinementCtx): void => oneOf(WAYS, section, context)

function oneToAsk(section: Ways, context: z.RefinementCtx): void {
  oneOf(ASKED_WAYS, section, context)
}

function oneOf(ways: readonly Way[], section: Ways, context: z.RefinementCtx): void {
  if (waysIn(section).length === 1) return
  complain(context, {
    code: 'CONFIG_CONFLICT',
    message: `must have exactly one of ${ways.slice(0, -1).join(', ')} and ${ways.at(-1)}`,
    remedy: 'Keep one way to ask, for example path: /up.',
  })
}

const sameName = (name: string) => ({
  code: 'CONFIG_CONFLICT',
  message: `is "${name}", as another check is called`,
  remedy: 'Give each check a name of its own.',
})

/** The way that the section names. */
export const wayIn = (section: Partial<Record<Way, unknown>> | undefined): Way | undefined =>
  section === undefined ? undefined : waysIn(section)[0]

type Asked = {
  path?: string | undefined
  tcp?: unknown
  grpc?: GrpcSection | undefined
  command?: string[] | undefined
  runs?: number | undefined
}

/** The check in the shape that a release carries. The schema has seen to it that there is one. */
export function checkOf({ path: of, grpc: named, command, runs }: Asked): HealthCheck {
  if (runs !== undefined) return { kind: 'runs', forMs: runs }
  if (of !== undefined) return { kind: 'http', path: of }
  if (named !== undefined) return { kind: 'grpc', service: named.service ?? '' }
  return command === undefined ? { kind: 'tcp' } : { kind: 'command', command }
}

/** `start` of the file with every default filled in; nothing where it is off. */
export function startOf(start: NonNullable<HealthKeys['start']>): { start?: StartProbe } {
  if (start === 'off') return {}
  return {
    start: {
      check: checkOf(start),
      intervalMs: start.interval ?? msOf(START_DEFAULTS.interval),
      timeoutMs: start.timeout ?? msOf(START_DEFAULTS.timeout),
      deadlineMs: start.deadline ?? msOf(START_DEFAULTS.deadline),
    },
  }
}

/** `live` of the file with every default filled in; nothing where it is off. */
export function liveOf(live: NonNullable<HealthKeys['live']>): { live?: LiveProbe } {
  if (live === 'off') return {}
  return {
    live: {
      check: checkOf(live),
      intervalMs: live.interval ?? msOf(LIVE_DEFAULTS.interval),
      timeoutMs: live.timeout ?? msOf(LIVE_DEFAULTS.timeout),
      failures: live.failures ?? LIVE_DEFAULTS.failures,
    },
  }
}

function namedCheckOf(section: z.output<typeof NamedCheckSection>): NamedCheck {
  const { name, tcp: address, kind, every, failures, onFailure } = section
  const asked = checkOf(section)
  return {
    name,
    kind: kind ?? NAMED_CHECK_DEFAULTS.kind,
    check: asked.kind === 'tcp' || asked.kind === 'runs' ? addressCheck(address) : asked,
    everyMs: every ?? msOf(NAMED_CHECK_DEFAULTS.every),
    timeoutMs: section.timeout ?? msOf(NAMED_CHECK_DEFAULTS.timeout),
    failures: failures ?? NAMED_CHECK_DEFAULTS.failures,
    onFailure: onFailure ?? NAMED_CHECK_DEFAULTS.onFailure,
  }
}

function addressCheck(address: { host: string; port: number } | undefined): NamedCheck['check'] {
  if (address === undefined) throw new Error('a named check came through the schema without a way to ask')
  return { kind: 'address', ...address }
}
