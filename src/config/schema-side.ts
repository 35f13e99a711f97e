import * as z from 'zod'
import { complain, type Reading, read, refused, scalar, shown } from './complaint.ts'
import { DEFAULT_STICKY } from './defaults.ts'
import { duration, envValue, listenAddress } from './scalars.ts'

/** Each request is held against all of them. */
const MAX_ROUTES = 20
export const LONGEST_TEXT = 200
/** A cookie that lives longer than a rollout may last tells nothing any more. */
const LONGEST_STICKY_MS = 30 * 24 * 60 * 60_000
/** RFC 9110, 5.6.2: what names of headers and cookies are made of. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/

/** Of a header or a cookie. */
export const name = () => scalar(readName, { title: 'name', examples: ['x-tester'] })
export const pattern = () => scalar(readPattern, { title: 'pattern with *', examples: ['qa-*'] })

function readName(input: unknown): Reading<string> {
  if (typeof input !== 'string' || !TOKEN.test(input))
    return refused(
      'CONFIG_BAD_NAME',
      `is ${shown(input)}, which cannot be the name of a header or a cookie`,
      'Use letters, digits and dashes, for example x-tester.',
    )
  return read(input)
}

/** Regular expressions can be made to run for minutes by whoever sends a request; a star cannot. */
function readPattern(input: unknown): Reading<string> {
  if (typeof input !== 'string' || input === '' || input.length > LONGEST_TEXT)
    return refused(
      'CONFIG_BAD_PATTERN',
      `is ${shown(input)}, but must be text of 1 to ${LONGEST_TEXT} characters`,
      'Write the text with * for what may differ, for example "qa-*".',
    )
  if (/[\^$[\](){}|\\]|\.[*+]/.test(input))
    return refused(
      'CONFIG_BAD_PATTERN',
      `is ${shown(input)}, which looks like a regular expression`,
      'Write * for any characters, for example "qa-*" instead of "^qa-.*$". Several patterns are several routes; a text with such characters can be a value.',
    )
  return read(input)
}

const Match = z
  .strictObject({
    name: name().describe('Of the header (in any case) or the cookie (exactly).'),
    value: envValue().describe('The whole value, exactly.').optional(),
    pattern: pattern()
      .describe(
        'The whole value, with `*` for any characters, also none. There are no regular expressions here, so that no request can make them slow. Values of more than 1024 characters match no pattern.',
      )
      .optional(),
  })
  .superRefine(({ value, pattern: text }, context) => {
    if (value === undefined && text === undefined) complain(context, NO_VALUE, [])
    if (value !== undefined && text !== undefined) complain(context, VALUE_AND_PATTERN, ['pattern'])
    if (value !== undefined && value.length > LONGEST_TEXT) complain(context, VALUE_TOO_LONG, ['value'])
  })
export type MatchSection = z.output<typeof Match>

const RouteSection = z
  .strictObject({
    header: Match.describe('Requests with this header.').optional(),
    cookie: Match.describe('Requests with this cookie.').optional(),
    to: z.literal('candidate').describe('Where they go: only `candidate` is possible.').optional(),
  })
  .superRefine(({ header, cookie }, context) => {
    if (header === undefined && cookie === undefined) complain(context, NO_MATCH, [])
    if (header !== undefined && cookie !== undefined) complain(context, HEADER_AND_COOKIE, ['cookie'])
    if (header?.name.toLowerCase() === 'cookie') complain(context, COOKIE_AS_HEADER, ['header', 'name'])
  })
export type RouteSection = z.output<typeof RouteSection>

const NO_VALUE = {
  code: 'CONFIG_MISSING_KEY',
  message: 'has neither value nor pattern',
  remedy: 'Write value with the exact text, or pattern: "*" for any.',
}
const VALUE_AND_PATTERN = {
  code: 'CONFIG_CONFLICT',
  message: 'stands beside value',
  remedy: 'Keep one of the two.',
}
export const VALUE_TOO_LONG = {
  code: 'CONFIG_OUT_OF_RANGE',
  message: `is longer than ${LONGEST_TEXT} characters`,
  remedy: 'Write a shorter value.',
}
const NO_MATCH = {
  code: 'CONFIG_MISSING_KEY',
  message: 'says nothing about the requests that it is for',
  remedy: 'Write header or cookie below it, for example header: { name: x-tester, value: "1" }.',
}
const HEADER_AND_COOKIE = {
  code: 'CONFIG_CONFLICT',
  message: 'stands beside header',
  remedy: 'Write two routes: a request needs to match only one of them.',
}
export const COOKIE_AS_HEADER = {
  code: 'CONFIG_CONFLICT',
  message: 'is cookie, of which several stand in one header',
  remedy: 'Write cookie: { name: ..., value: ... } instead of header.',
}

const StickySection = z.union([
  z.literal('off'),
  z.strictObject({
    cookie: name()
      .meta({ title: 'name', default: DEFAULT_STICKY.cookie })
      .describe('Name of the cookie.')
      .optional(),
    for: duration({ minMs: 60_000, maxMs: LONGEST_STICKY_MS })
      .meta({ default: DEFAULT_STICKY.for })
      .describe(
        'How long a user keeps their place, between a minute and 30 days. Longer than the rollout lasts, or some are dealt anew in it.',
      )
      .optional(),
  }),
])
export type StickySection = z.output<typeof StickySection>

/** Who reaches the candidate besides those whom the weights send there. */
export const SIDE_KEYS = {
  preview: listenAddress()
    .describe(
      'An address of its own that shows the candidate as soon as it has a ready instance, and stable otherwise. What is sent there is not counted as live traffic. Not the same as `listen`.',
    )
    .optional(),
  routes: z
    .array(RouteSection)
    .max(MAX_ROUTES)
    .describe(
      'Requests that go to the candidate whatever its weight, for testers. The first that matches decides, before the weights. They hold from the end of the checks before traffic until the rollout ends, only while the candidate has a ready instance, and are counted apart.',
    )
    .optional(),
}
export type SideKeys = z.output<z.ZodObject<typeof SIDE_KEYS>>

export const STICKY_KEY = {
  sticky: StickySection.describe(
    'Users keep their version while the weights rise, by a cookie with a random id. New users keep to the share of the step. `{}` takes the defaults.',
  ).optional(),
}
