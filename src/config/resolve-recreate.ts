import type { RecreateSettings } from '../core/release/strategy-settings.ts'
import { DEFAULT_RECREATE } from './defaults.ts'
import type { LayeredReader } from './layers.ts'
import type { Overrides } from './schema.ts'
import type { RecreateSection } from './schema-strategy.ts'
import { msOf } from './units.ts'

export function recreateIn(strategy: Overrides['strategy']): RecreateSection | undefined {
  if (strategy === undefined || typeof strategy === 'string') return undefined
  return strategy.recreate
}

/** In whole seconds, as the header of HTTP has it. */
export function retryAfterOf(reader: LayeredReader): Pick<RecreateSettings, 'retryAfterS'> {
  const chosen = reader.find(
    'strategy.recreate.retryAfter',
    ({ strategy }) => recreateIn(strategy)?.retryAfter,
  )
  return { retryAfterS: Math.ceil((chosen ?? msOf(DEFAULT_RECREATE.retryAfter)) / 1000) }
}
