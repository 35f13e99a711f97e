import * as z from 'zod'
import { SAFE_METHODS, WRITING_METHODS } from '../core/release/shadow-settings.ts'
import { complain, type Reading, read, refused, scalar, shown } from './complaint.ts'
import { DEFAULT_SHADOW } from './defaults.ts'
import { duration, durationOr, percentOrOff, weight } from './scalars.ts'

/** Each request that may be copied is held against all of them. */
const MAX_PATTERNS = 50
/** Each body that is compared is walked with all of them. */
const MAX_IGNORED = 50

const request = () =>
  scalar(readRequest, { title: 'request', pattern: '^[A-Z]+( /.*)?$', examples: ['POST /search'] })

function readRequest(input: unknown): Reading<{ method: string; path: string }> {
  const parts = typeof input === 'string' ? /^([A-Z]{3,7})(?: (\/[^\s?#]{0,199}))?$/.exec(input) : null
  const method = WRITING_METHODS.find((one) => one === parts?.[1])
  if (parts === null || method === undefined)
    return refused(
      'CONFIG_BAD_ROUTE',
      `is ${shown(input)}, but must be ${WRITING_METHODS.join(', ')}, with or without a path`,
      'Write for example "POST /search", "POST /search/*" with * for any characters, or PUT for all of them.',
    )
  return read({ method, path: parts[2] ?? '*' })
}

const field = () => scalar(readField, { title: 'field', examples: ['requestId', 'items.*.updatedAt'] })

function readField(input: unknown): Reading<string> {
  const isField = typeof input === 'string' && /^[^.\s]{1,100}(\.[^.\s]{1,100}){0,19}$/.test(input)
  return isField
    ? read(input)
    : refused(
        'CONFIG_BAD_NAME',
        `is ${shown(input)}, which is no field`,
        'Write a name, which is left out wherever it stands, or a path from the top such as items.*.updatedAt.',
      )
}

const Compare = z
  .strictObject({
    body: z
      .enum(['off', 'exact', 'json'])
      .meta({ title: 'off, exact or json', default: DEFAULT_SHADOW.compare.body })
      .describe(
        'Whether bodies are compared: not at all, byte for byte, or JSON by its values (in any order of fields) and everything else byte for byte. What is read of a body is bounded, and nothing of it is kept.',
      )
      .optional(),
    ignore: z
      .array(field())
      .max(MAX_IGNORED)
      .meta({ default: [] })
      .describe(
        'Fields of JSON that may differ: a name, wherever it stands, or a path from the top in which `*` stands for one name or index.',
      )
      .optional(),
    volatile: z
      .enum(['ignore', 'compare'])
      .meta({ title: 'ignore or compare', default: DEFAULT_SHADOW.compare.volatile })
      .describe('In JSON, whether two times, or two UUIDs, may differ (`ignore`).')
      .optional(),
    limit: percentOrOff()
      .meta({ default: DEFAULT_SHADOW.compare.limit })
      .describe(
        'Of the requests that both answered without an error, at most this part may be answered otherwise, by class of status or by body. Judged with confidence; once it is shown to be more, the release goes back. `off`: only told.',
      )
      .optional(),
  })
  .superRefine(({ body, ignore, volatile }, context) => {
    if (body !== 'off' && body !== 'exact') return
    if (ignore !== undefined && ignore.length > 0) complain(context, ONLY_JSON, ['ignore'])
    if (volatile !== undefined) complain(context, ONLY_JSON, ['volatile'])
  })

const ONLY_JSON = {
  code: 'CONFIG_CONFLICT',
  message: 'says what JSON is compared by, and body is not json',
  remedy: 'Remove it, or write body: json.',
}

export const SHADOW_KEYS = {
  share: weight()
    .meta({ default: DEFAULT_SHADOW.share })
    .describe('So many of the requests that may be copied are, exact to 0.1%.')
    .optional(),
  for: durationOr('manual')
    .meta({ default: DEFAULT_SHADOW.for })
    .describe('Requests are copied at least this long. `manual` waits for `sluice promote`.')
    .optional(),
  atMost: duration({ minMs: 1 })
    .describe(
      'A comparison that its criteria have not let go on after so long pauses, for a person to look. Not shorter than `for`.',
    )
    .optional(),
  methods: z
    .array(z.enum([...SAFE_METHODS, ...WRITING_METHODS]).meta({ title: 'method' }))
    .min(1)
    .meta({ default: [...DEFAULT_SHADOW.methods] })
    .describe(
      'Methods of the requests that are copied. One that writes is only taken where `idempotent` declares requests of it.',
    )
    .optional(),
  idempotent: z
    .array(request())
    .max(MAX_PATTERNS)
    .meta({ default: [] })
    .describe(
      'Requests that write and may be made twice, as a method or a method and a path, in which `*` stands for any characters. You vouch for it: the copy is made for real, against whatever is behind the candidate.',
    )
    .optional(),
  compare: Compare.describe('What is compared besides errors and latency, which always are.').optional(),
}
