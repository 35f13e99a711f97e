import * as z from 'zod'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'
import { complain, type Reading, read, refused, scalar, shown } from './complaint.ts'
import { DEFAULT_AB } from './defaults.ts'
import { duration, percent, weight } from './scalars.ts'
import { name } from './schema-side.ts'
import { WHERE_KEY } from './schema-where.ts'

const MAX_VARIANTS = 10
const LONGEST_TEST_MS = 90 * 24 * 60 * 60_000
const MAX_ALPHA_PERCENT = 50

const request = () => scalar(readGoal, { title: 'request', pattern: '^[A-Z]+ /', examples: ['POST /orders'] })

function readGoal(input: unknown): Reading<{ method: string; path: string }> {
  const parts = typeof input === 'string' ? /^([A-Z]{3,10}) (\/[^\s?#]{0,199})$/.exec(input) : null
  const [, method, path] = parts ?? []
  if (method === undefined || path === undefined)
    return refused(
      'CONFIG_BAD_ROUTE',
      `is ${shown(input)}, but must be a method and a path`,
      'Write for example "POST /orders", or "POST /orders/*" with * for any characters.',
    )
  return read({ method, path })
}

const Variant = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be lower-case letters, digits and dashes, starting with a letter')
    .describe('What the release reads in the request header `sluice-variant`.'),
  share: weight().describe('Share of the users. What is left of 100% is the control, which is stable.'),
})

const By = z.union([
  z.literal('cookie'),
  z.strictObject({ header: name() }),
  z.strictObject({ cookie: name() }),
])

export const AB_KEYS = {
  by: By.meta({ default: DEFAULT_AB.by })
    .describe(
      'What makes a user. `cookie` is a random id in a cookie of ours; `{ header: x-user-id }` or `{ cookie: uid }` is what the service says about the user, and whoever does not say so takes no part, stays with stable and is counted apart.',
    )
    .optional(),
  ...WHERE_KEY,
  variants: z
    .array(Variant)
    .min(1)
    .max(MAX_VARIANTS)
    .superRefine((variants, context) => {
      const names = variants.map((variant) => variant.name)
      const twice = names.findIndex((one, index) => names.indexOf(one) !== index)
      if (twice >= 0) complain(context, sameName(names[twice] ?? ''), [twice, 'name'])
      if (names.includes('control')) complain(context, CONTROL_IS_STABLE, [names.indexOf('control'), 'name'])
      const share = variants.reduce((sum, variant) => sum + variant.share, 0)
      if (share >= TOTAL_PERMILLE) complain(context, noControl(share), [])
    })
    .describe('Variants of the candidate, which is told by a header which one to show.'),
  for: duration({ minMs: 1000, maxMs: LONGEST_TEST_MS })
    .meta({ default: DEFAULT_AB.for })
    .describe('How long the test lasts, up to 90 days. Shares do not change in it.')
    .optional(),
  goal: z
    .strictObject({
      request: request().describe(
        'A method and a path, in which `*` stands for any characters. A user who gets an answer below 400 has reached the goal, and counts once.',
      ),
    })
    .describe('What counts as a success.'),
  atEnd: z
    .enum(['ask', 'promote'])
    .meta({ title: 'ask or promote', default: DEFAULT_AB.atEnd })
    .describe(
      'After its time the test waits for `sluice promote` or `sluice abort` (`ask`), or the candidate gets all traffic (`promote`).',
    )
    .optional(),
  alpha: percent({ min: 0.0001 })
    .meta({ default: DEFAULT_AB.alpha })
    .refine((value) => value <= MAX_ALPHA_PERCENT, `must be at most ${MAX_ALPHA_PERCENT}%`)
    .describe(
      'Chance that any of the variants is called better or worse although none is, however often one looks.',
    )
    .optional(),
}

const sameName = (name: string) => ({
  code: 'CONFIG_CONFLICT',
  message: `is ${name}, as another variant is`,
  remedy: 'Give each variant a name of its own.',
})
const CONTROL_IS_STABLE = {
  code: 'CONFIG_CONFLICT',
  message: 'is control, which is what stable is called',
  remedy: 'Write another name. What the variants leave of 100% is the control.',
}
const noControl = (permille: number) => ({
  code: 'CONFIG_OUT_OF_RANGE',
  message: `have ${permille / 10}% together, so that nothing is left for the control`,
  remedy: 'Write shares that leave a part for stable, for example 50% in all.',
})
