import type { ShadowSettings } from '../core/release/strategy-settings.ts'
import { formatWeight } from '../core/shared/weight.ts'
import { durationText, percentText } from './units.ts'
import type { Value } from './value-text.ts'

export function shadowValues(
  path: string,
  { sharePermille, forMs, atMostMs, methods, idempotent, bodies }: ShadowSettings,
  differingPercent: number | undefined,
): Value[] {
  const declared = idempotent.map((one) => (one.path === '*' ? one.method : `${one.method} ${one.path}`))
  return [
    [`${path}.share`, formatWeight(sharePermille)],
    [`${path}.for`, forMs === null ? 'manual' : durationText(forMs)],
    ...(atMostMs === undefined ? [] : [[`${path}.atMost`, durationText(atMostMs)] as const]),
    [`${path}.methods`, `[${methods.join(', ')}]`],
    [`${path}.idempotent`, `[${declared.join(', ')}]`],
    [`${path}.compare.body`, bodies.kind],
    ...(bodies.kind === 'json'
      ? ([
          [`${path}.compare.ignore`, `[${bodies.ignore.join(', ')}]`],
          [`${path}.compare.volatile`, bodies.ignoresVolatile ? 'ignore' : 'compare'],
        ] as const)
      : []),
    [`${path}.compare.limit`, differingPercent === undefined ? 'off' : percentText(differingPercent)],
  ]
}
