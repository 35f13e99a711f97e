import * as z from 'zod'
import { BUILTIN_COUNTS } from '../core/shared/metric-definition.ts'
import { complain } from './complaint.ts'
import * as m from './metric-scalars.ts'
import { secretName } from './scalars.ts'

const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/
/** Headers by which people prove who they are. */
const SENSITIVE = /authorization|cookie|token|key|secret|password/i
const MAX_HEADERS = 20

const Headers = z
  .record(
    z.string().regex(HEADER_NAME),
    z.union([
      m.headerText(),
      z.strictObject({
        secret: secretName().describe('Name of the secret. Never write its value here.'),
        prefix: m.headerText().meta({ default: '' }).describe('Text before the value.').optional(),
      }),
    ]),
  )
  .superRefine((headers, context) => {
    for (const [name, value] of Object.entries(headers))
      if (typeof value === 'string' && SENSITIVE.test(name))
        complain(
          context,
          {
            code: 'CONFIG_SECRET_IN_FILE',
            message: 'looks like a credential written into the file',
            remedy: `Put the value into a secret and write ${name}: { secret: NAME }.`,
          },
          [name],
        )
    if (Object.keys(headers).length > MAX_HEADERS)
      complain(context, {
        code: 'CONFIG_OUT_OF_RANGE',
        message: `has ${Object.keys(headers).length} entries, but must have at most ${MAX_HEADERS}`,
        remedy: 'Leave out what the other side does not need.',
      })
  })

const credentials = {
  token: secretName()
    .describe('Name of the secret that is sent as `Authorization: Bearer`. Never write its value here.')
    .optional(),
  user: m.headerText().describe('User name for `Authorization: Basic`; needs `password`.').optional(),
  password: secretName().describe('Name of the secret with the password of `user`.').optional(),
  headers: Headers.meta({ title: 'mapping', default: {} })
    .describe('More headers: text, or `{ secret: NAME, prefix: TEXT }`.')
    .optional(),
}

/** One expression for each number, in the language of the provider. */
const expressions = (language: string, buckets: string) => ({
  bad: m.queryText(language).describe('Kind ratio: how many were bad.').optional(),
  total: m.queryText(language).describe('Kind ratio: how many there were.').optional(),
  events: m.queryText(language).describe('Kind rate: how many events.').optional(),
  exposure: m.queryText(language).describe('Kind rate: of how much (requests, seconds).').optional(),
  buckets: m.queryText(language).describe(buckets).optional(),
  value: m.queryText(language).describe('Kind value: the number.').optional(),
})

export const PrometheusSection = z.strictObject({
  address: m.metricAddress().describe('The server, without `/api/v1/query`.'),
  ...expressions('PromQL', 'Kind histogram: cumulative buckets, one series for each `le`.'),
  partial: z
    .enum(['refuse', 'accept'])
    .meta({ title: 'refuse or accept', default: 'refuse' })
    .describe('Answers with warnings, in which something may be missing.')
    .optional(),
  ...credentials,
})

export const JsonSection = z.strictObject({
  url: m.metricUrl().describe('Is asked with each question.'),
  method: z
    .enum(['GET', 'POST'])
    .meta({ title: 'GET or POST' })
    .describe('How it is asked. Default: GET, and POST with a body.')
    .optional(),
  body: m.queryText('JSON').describe('Sent with POST, as JSON.').optional(),
  ...expressions(
    'JSONPath',
    'Kind histogram: objects with `le` and `count`, where each count is of that bucket alone.',
  ),
  ...credentials,
})

export const SqlSection = z.strictObject({
  database: secretName()
    .describe('Name of the secret that holds the address of a PostgreSQL server (`postgresql://...`).')
    .optional(),
  file: m.databaseFile().describe('A SQLite file, instead of `database`.').optional(),
  query: m
    .queryText('SQL')
    .describe(
      'One SELECT with the columns `bad, total`, or `events, exposure`, or `value` (one row), or `le, count` (one row for each bucket alone). Parameters: `:version`, `:from`, `:to` and the other placeholders.',
    ),
})

export const CommandSection = z.strictObject({
  run: m
    .metricCommand()
    .describe('Writes `{"bad": 3, "total": 1000}` or the like to its standard output. Runs without a shell.'),
  secrets: z
    .array(secretName())
    .max(100)
    .meta({ title: 'list of names', default: [] })
    .describe('Names of secrets that the program gets as variables.')
    .optional(),
})

export const BuiltinSection = z.strictObject({
  route: m
    .routeClass()
    .describe('One class of routes, for example `POST /checkout`. Default: all requests.')
    .optional(),
  count: z
    .enum(BUILTIN_COUNTS)
    .meta({ title: 'word', default: 'errors' })
    .describe('What is bad (kind ratio) or an event (kind rate); all requests are the total.')
    .optional(),
})
