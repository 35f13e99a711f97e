import * as z from 'zod'
import { complain } from './complaint.ts'
import { envValue } from './scalars.ts'
import { COOKIE_AS_HEADER, LONGEST_TEXT, name, pattern, VALUE_TOO_LONG } from './schema-side.ts'

/** Each request of the test is held against all of them. */
const MAX_CONDITIONS = 10
const MAX_VALUES = 50

const Attribute = z
  .strictObject({
    name: name().describe('Of the header (in any case) or the cookie (exactly).'),
    value: envValue().describe('The whole value, exactly.').optional(),
    values: z
      .array(envValue())
      .min(1)
      .max(MAX_VALUES)
      .describe('Whole values, of which one has to be there.')
      .optional(),
    pattern: pattern().describe('The whole value, with `*` for any characters, also none.').optional(),
  })
  .superRefine(({ value, values, pattern: text }, context) => {
    const kinds = [value, values, text].filter((one) => one !== undefined)
    if (kinds.length === 0) complain(context, NO_VALUE)
    if (kinds.length > 1) complain(context, SEVERAL)
    if (value !== undefined && value.length > LONGEST_TEXT) complain(context, VALUE_TOO_LONG, ['value'])
    for (const [index, one] of (values ?? []).entries()) {
      if (one.length > LONGEST_TEXT) complain(context, VALUE_TOO_LONG, ['values', index])
      if (values?.indexOf(one) !== index) complain(context, SAME_VALUE, ['values', index])
    }
  })
export type AttributeSection = z.output<typeof Attribute>

const Condition = z
  .strictObject({
    header: Attribute.describe('What the service or whoever stands before it says in a header.').optional(),
    cookie: Attribute.describe('What a cookie of the service says.').optional(),
  })
  .superRefine(({ header, cookie }, context) => {
    if (header === undefined && cookie === undefined) complain(context, NO_ATTRIBUTE)
    if (header !== undefined && cookie !== undefined) complain(context, TWO_IN_ONE, ['cookie'])
    if (header?.name.toLowerCase() === 'cookie') complain(context, COOKIE_AS_HEADER, ['header', 'name'])
  })
export type ConditionSection = z.output<typeof Condition>

export const WHERE_KEY = {
  where: z
    .array(Condition)
    .min(1)
    .max(MAX_CONDITIONS)
    .describe(
      'Only users of whom all of this is so take part. Everybody else stays with stable and is counted apart, so shares, counts and checks are of those who take part. It has to be something that a variant cannot change.',
    )
    .optional(),
}

const NO_VALUE = {
  code: 'CONFIG_MISSING_KEY',
  message: 'has neither value, values nor pattern',
  remedy: 'Write value with the exact text, values with several, or pattern: "*" for any.',
}
const SEVERAL = {
  code: 'CONFIG_CONFLICT',
  message: 'has more than one of value, values and pattern',
  remedy: 'Keep one of them. Of several conditions all have to be so.',
}
const SAME_VALUE = {
  code: 'CONFIG_CONFLICT',
  message: 'stands there already',
  remedy: 'Remove one of the two.',
}
const NO_ATTRIBUTE = {
  code: 'CONFIG_MISSING_KEY',
  message: 'says nothing about the users who take part',
  remedy: 'Write header or cookie below it, for example header: { name: x-country, values: [de, at] }.',
}
const TWO_IN_ONE = {
  code: 'CONFIG_CONFLICT',
  message: 'stands beside header',
  remedy: 'Write two conditions, one below the other: both have to be so.',
}
