import type { AbTest, AbUnit } from '../core/release/ab-settings.ts'
import type { RequestMatch } from '../core/shared/side-routes.ts'
import { DEFAULT_AB } from './defaults.ts'
import type { LayeredReader } from './layers.ts'
import type { Overrides } from './schema.ts'
import type { AbSection } from './schema-strategy.ts'
import type { AttributeSection, ConditionSection } from './schema-where.ts'
import { msOf } from './units.ts'

const PATH = 'strategy.ab'

export function abIn(strategy: Overrides['strategy']): AbSection | undefined {
  if (strategy === undefined || typeof strategy === 'string') return undefined
  return strategy.ab
}

export function abTestOf(reader: LayeredReader): AbTest {
  const key = <K extends keyof AbSection>(name: K) =>
    reader.find(`${PATH}.${name}`, ({ strategy }) => abIn(strategy)?.[name])
  const must = <K extends 'variants' | 'goal'>(name: K) =>
    reader.pick(`${PATH}.${name}`, ({ strategy }) => abIn(strategy)?.[name])
  const where = key('where')
  return {
    by: unitOf(key('by') ?? DEFAULT_AB.by),
    ...(where === undefined ? {} : { where: where.map(groupOf) }),
    variants: must('variants').map(({ name, share }) => ({ name, sharePermille: share })),
    forMs: key('for') ?? msOf(DEFAULT_AB.for),
    goal: must('goal').request,
    atEnd: key('atEnd') ?? DEFAULT_AB.atEnd,
    alpha: (key('alpha') ?? Number.parseFloat(DEFAULT_AB.alpha)) / 100,
  }
}

function unitOf(by: NonNullable<AbSection['by']>): AbUnit {
  if (by === 'cookie') return { kind: 'own-cookie' }
  return 'header' in by ? { kind: 'header', name: by.header } : { kind: 'cookie', name: by.cookie }
}

/** One of the matches has to fit. */
function groupOf({ header, cookie }: ConditionSection): RequestMatch[] {
  if (header !== undefined) return matchesOf('header', header)
  return cookie === undefined ? [] : matchesOf('cookie', cookie)
}

function matchesOf(place: RequestMatch['in'], section: AttributeSection): RequestMatch[] {
  const { name, value, values, pattern } = section
  if (pattern !== undefined) return [{ kind: 'pattern', in: place, name, pattern }]
  return (values ?? [value ?? '']).map((one) => ({ kind: 'exact', in: place, name, value: one }))
}
