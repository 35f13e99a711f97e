import * as z from 'zod'
import { type JourneyStep, VERIFY_MOMENTS, type VerifyCheck } from '../core/shared/verification.ts'
import { complain } from './complaint.ts'
import { VERIFY_DEFAULTS } from './defaults.ts'
import * as s from './scalars.ts'
import { msOf } from './units.ts'

const HOUR_MS = 3_600_000
const MAX_CHECKS = 50
const MAX_STEPS = 100
const MAX_TEXT = 10_000

const text = z.string().min(1).max(MAX_TEXT).meta({ title: 'text' })
const jsonPath = z.string().startsWith('$').max(1000).meta({ title: 'JSONPath' })

const Expect = z.strictObject({
  status: z
    .int()
    .min(100)
    .max(599)
    .meta({ title: 'number' })
    .describe('The status of the answer. Any 2xx where it is left out; redirects are not followed.')
    .optional(),
  contains: z
    .union([text, z.array(text).min(1).max(50)])
    .meta({ title: 'text or list of texts' })
    .describe('Must be in the body.')
    .optional(),
  json: z
    .record(jsonPath, z.unknown())
    .meta({ title: 'mapping' })
    .describe('JSONPath in the body, and the one value it must lead to.')
    .optional(),
  within: s.duration({ minMs: 1, maxMs: HOUR_MS }).describe('A slower answer is no pass.').optional(),
})

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const
const pathKey = (method: string) =>
  s.urlPath().describe(`The request is a ${method.toUpperCase()} of this path.`).optional()

const requestKeys = {
  headers: z
    .record(z.string().min(1).max(200), z.string().max(MAX_TEXT))
    .meta({ title: 'mapping' })
    .describe('Headers of the request. Never write a secret here: use a command for that.')
    .optional(),
  body: z
    .union([z.string().max(MAX_TEXT), z.record(z.string(), z.unknown())])
    .meta({ title: 'text or mapping' })
    .describe('Body of the request; a mapping is sent as JSON.')
    .optional(),
  expect: Expect.describe('What the answer must be.').optional(),
}

const StepSection = z
  .strictObject({
    get: pathKey('get'),
    head: pathKey('head'),
    post: pathKey('post'),
    put: pathKey('put'),
    patch: pathKey('patch'),
    delete: pathKey('delete'),
    ...requestKeys,
    capture: z
      .record(z.string().regex(/^\w{1,50}$/), jsonPath)
      .meta({ title: 'mapping' })
      .describe('Kept for later requests as `{{name}}`: a name and a JSONPath in the body.')
      .optional(),
  })
  .superRefine((step, context) => {
    if (METHODS.filter((method) => step[method] !== undefined).length !== 1)
      complain(context, ONE_REQUEST, [])
  })
type StepSection = z.output<typeof StepSection>

const CheckSection = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(100)
      .meta({ title: 'text' })
      .describe('How people know the check.')
      .optional(),
    http: s
      .urlPath()
      .describe('A GET of this path must be answered with a 2xx, or as `expect` says.')
      .optional(),
    expect: requestKeys.expect,
    command: s
      .command()
      .describe('A program that must end with code 0. It finds the address in SLUICE_URL.')
      .optional(),
    secrets: z
      .array(s.secretName())
      .max(100)
      .meta({ title: 'list of names' })
      .describe('Secrets that the command gets as variables.')
      .optional(),
    journey: z
      .array(StepSection)
      .min(1)
      .max(MAX_STEPS)
      .describe('Requests one after the other, each with what is expected of it.')
      .optional(),
    when: z
      .enum([...VERIFY_MOMENTS, 'both'])
      .meta({ title: 'before, after or both', default: VERIFY_DEFAULTS.when })
      .describe(
        '`before` the candidate gets any traffic, on one of its instances; `after` it has all of it, as users reach it; or `both`.',
      )
      .optional(),
    timeout: s
      .duration({ minMs: 10, maxMs: HOUR_MS })
      .meta({ default: VERIFY_DEFAULTS.timeout })
      .describe('The whole check has failed after this.')
      .optional(),
  })
  .superRefine((check, context) => {
    const kinds = (['http', 'command', 'journey'] as const).filter((kind) => check[kind] !== undefined)
    if (kinds.length !== 1) complain(context, ONE_KIND, [])
    if (check.expect !== undefined && check.http === undefined) complain(context, EXPECT_OF_HTTP, ['expect'])
    if (check.secrets !== undefined && check.command === undefined)
      complain(context, SECRETS_OF_COMMAND, ['secrets'])
  })
type CheckSection = z.output<typeof CheckSection>

/** Checks of the file with every default filled in. */
export const VerifySection = z
  .array(CheckSection)
  .max(MAX_CHECKS)
  .superRefine((checks, context) => {
    const names = checks.map(nameOf)
    for (const [index, name] of names.entries())
      if (names.indexOf(name) < index) complain(context, sameName(name), [index])
  })
  .transform((checks) => checks.map(checkOf))

const ONE_REQUEST = {
  code: 'CONFIG_CONFLICT',
  message: 'must have exactly one of get, head, post, put, patch and delete',
  remedy: 'Write one request per item, for example { get: /cart }.',
}
const ONE_KIND = {
  code: 'CONFIG_CONFLICT',
  message: 'must have exactly one of http, command and journey',
  remedy: 'Write one check per item, for example { http: /health }.',
}
const EXPECT_OF_HTTP = {
  code: 'CONFIG_CONFLICT',
  message: 'stands beside no http',
  remedy: 'In a journey it belongs to each request; a command tells by its exit code.',
}
const SECRETS_OF_COMMAND = {
  code: 'CONFIG_CONFLICT',
  message: 'stands beside no command',
  remedy: 'Only a command gets secrets. Log in by a command, or use a test user without one.',
}
const sameName = (name: string) => ({
  code: 'CONFIG_CONFLICT',
  message: `is called "${name}", as another check is called`,
  remedy: 'Give each check a name of its own.',
})

function nameOf({ name, http, command, journey }: CheckSection): string {
  if (name !== undefined) return name
  if (http !== undefined) return `GET ${http}`
  return command?.join(' ').slice(0, 100) ?? `journey of ${journey?.length ?? 0} requests`
}

function checkOf(check: CheckSection): VerifyCheck {
  const { command, secrets = [], http, expect, journey = [], when = VERIFY_DEFAULTS.when, timeout } = check
  const common = {
    name: nameOf(check),
    moments: when === 'both' ? [...VERIFY_MOMENTS] : [when],
    timeoutMs: timeout ?? msOf(VERIFY_DEFAULTS.timeout),
  }
  if (command !== undefined) return { kind: 'command', ...common, command, secrets }
  const steps = http === undefined ? journey : [{ get: http, ...(expect === undefined ? {} : { expect }) }]
  return { kind: 'journey', ...common, steps: steps.map(stepOf) }
}

function stepOf({ headers = {}, body, expect = {}, capture = {}, ...step }: StepSection): JourneyStep {
  const [method = 'get'] = METHODS.filter((one) => step[one] !== undefined)
  const { status, contains = [], json = {}, within } = expect
  const isJson = typeof body === 'object'
  return {
    method: METHOD_NAMES[method],
    path: step[method] ?? '/',
    headers: isJson ? { 'content-type': 'application/json', ...headers } : headers,
    body: body === undefined ? null : isJson ? JSON.stringify(body) : body,
    expect: {
      status: status ?? null,
      contains: typeof contains === 'string' ? [contains] : contains,
      json: Object.entries(json).map(([path, equals]) => ({ path, equals })),
      withinMs: within ?? null,
    },
    capture,
  }
}

const METHOD_NAMES = {
  get: 'GET',
  head: 'HEAD',
  post: 'POST',
  put: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
} as const
