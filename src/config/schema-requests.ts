import * as z from 'zod'
import { complain } from './complaint.ts'
import { DEFAULT_ACCESS_LOG, DEFAULTS } from './defaults.ts'
import * as s from './scalars.ts'

const PLAIN_NUMBER = { title: 'whole number' }
const HOUR_MS = 3_600_000
const MOST_REQUESTS = 1_000_000
/** One request in 100 seconds: less is a mistake, or no service. */
const LEAST_PER_SECOND = 0.01
const LEAST_BODY_BYTES = 1024

export const OutlierSection = z
  .union([
    z.literal('off'),
    z.strictObject({
      failures: z
        .int()
        .min(1)
        .max(1000)
        .meta({ ...PLAIN_NUMBER, default: DEFAULTS.health.outlier.failures })
        .describe(
          'Requests of users in a row that end with 5xx, a reset, a time-out or without a connection.',
        )
        .optional(),
      for: s
        .duration({ minMs: 100, maxMs: HOUR_MS })
        .meta({ default: DEFAULTS.health.outlier.for })
        .describe(
          'The first time it gets nothing for so long, the second time twice as long, and so on up to 5 minutes. Then it is tried with one request at a time, and three answers bring it back.',
        )
        .optional(),
      max: s
        .percent({ min: 1, max: 100 })
        .meta({ default: DEFAULTS.health.outlier.max })
        .describe('Share of the instances of a release that may be left out; one may always, the last never.')
        .optional(),
    }),
  ])
  .meta({ title: 'off or mapping', default: DEFAULTS.health.outlier })
  .describe(
    'An instance that fails what users ask of it gets no new requests for a while. The others of its release take them: shares between versions are not touched. A candidate of which an instance is left out twice in a row counts as failing there, unless stable has one that is left out, too.',
  )
  .optional()

export const LimitsSection = z
  .union([
    z.literal('off'),
    z
      .strictObject({
        body: s
          .size(LEAST_BODY_BYTES)
          .describe('A larger body of a request gets 413. Without the key: 10GiB.')
          .optional(),
        requests: z
          .int()
          .min(1)
          .max(MOST_REQUESTS)
          .meta(PLAIN_NUMBER)
          .describe(
            'So many at the same time; one more gets 503 at once. A WebSocket counts for as long as it is open.',
          )
          .optional(),
        perSecond: z
          .number()
          .min(LEAST_PER_SECOND)
          .max(MOST_REQUESTS)
          .meta({ title: 'number' })
          .describe('So many on average; what is more gets 429 with the time after which to come back.')
          .optional(),
        burst: z
          .int()
          .min(1)
          .max(MOST_REQUESTS)
          .meta(PLAIN_NUMBER)
          .describe(
            'With `perSecond`: so many at once after a silence. Without the key: those of one second.',
          )
          .optional(),
      })
      .superRefine(({ perSecond, burst }, context) => {
        if (burst === undefined || perSecond !== undefined) return
        complain(
          context,
          {
            code: 'CONFIG_CONFLICT',
            message: 'stands without perSecond, to which it belongs',
            remedy: 'Write perSecond beside it, or remove it.',
          },
          ['burst'],
        )
      }),
  ])
  .meta({ title: 'off or mapping', default: DEFAULTS.limits })
  .describe(
    'What the data plane takes for the whole service, whatever the version. What is over is turned away and counted as refused: no error of a release, and not lost.',
  )
  .optional()

export const AccessLogSection = z
  .union([
    z.enum(['off', 'on']),
    z.strictObject({
      sample: s
        .percent({ min: 0.1, max: 100 })
        .meta({ default: DEFAULT_ACCESS_LOG.sample })
        .describe('Only this share of the requests gets a line.')
        .optional(),
      query: z
        .boolean()
        .meta({ title: 'true or false', default: DEFAULT_ACCESS_LOG.query })
        .describe('The path with its query, which may hold what is private.')
        .optional(),
    }),
  ])
  .meta({ title: 'off, on or mapping', default: DEFAULTS.accessLog })
  .describe(
    'One line of JSON for each request, in a file of the data plane: `sluice logs --access`. Never with a cookie, a password or any other header but ids.',
  )
  .optional()
