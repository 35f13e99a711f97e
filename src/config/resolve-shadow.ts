import type { ShadowTest } from '../core/release/shadow-settings.ts'
import { DEFAULT_SHADOW } from './defaults.ts'
import type { LayeredReader } from './layers.ts'
import type { Overrides } from './schema.ts'
import type { ShadowSection } from './schema-strategy.ts'
import { msOf } from './units.ts'

export const SHADOW_PATH = 'strategy.shadow'

export function shadowIn(strategy: Overrides['strategy']): ShadowSection | undefined {
  if (strategy === undefined || typeof strategy === 'string') return undefined
  return strategy.shadow
}

export function shadowTestOf(reader: LayeredReader): ShadowTest {
  const key = <K extends keyof ShadowSection>(name: K) =>
    reader.find(`${SHADOW_PATH}.${name}`, ({ strategy }) => shadowIn(strategy)?.[name])
  const [share, forMs, atMostMs] = [key('share'), key('for'), key('atMost')]
  return {
    sharePermille: share ?? 10 * Number.parseFloat(DEFAULT_SHADOW.share),
    methods: key('methods') ?? [...DEFAULT_SHADOW.methods],
    idempotent: key('idempotent') ?? [],
    bodies: bodiesOf(reader),
    forMs: forMs === undefined ? msOf(DEFAULT_SHADOW.for) : forMs,
    ...(atMostMs === undefined ? {} : { atMostMs }),
  }
}

function bodiesOf(reader: LayeredReader): ShadowTest['bodies'] {
  const kind = compareKey(reader, 'body') ?? DEFAULT_SHADOW.compare.body
  if (kind !== 'json') return { kind }
  const ignore = compareKey(reader, 'ignore') ?? []
  const volatile = compareKey(reader, 'volatile') ?? DEFAULT_SHADOW.compare.volatile
  return { kind, ignore, ignoresVolatile: volatile === 'ignore' }
}

/** The limit stands with the other checks, so that it shares their budget of false alarms. */
export function differingLimitOf(reader: LayeredReader): { differingPercent?: number } {
  const chosen = compareKey(reader, 'limit')
  const differingPercent = chosen === undefined ? Number.parseFloat(DEFAULT_SHADOW.compare.limit) : chosen
  return differingPercent === 'off' ? {} : { differingPercent }
}

type Compare = NonNullable<ShadowSection['compare']>

const compareKey = <K extends keyof Compare>(reader: LayeredReader, name: K): Compare[K] | undefined =>
  reader.find(`${SHADOW_PATH}.compare.${name}`, ({ strategy }) => shadowIn(strategy)?.compare?.[name])
