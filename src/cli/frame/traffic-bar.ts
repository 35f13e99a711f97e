import type { ServiceView } from '../../core/rollout/view/view.ts'
import { formatWeight, TOTAL_PERMILLE } from '../../core/shared/weight.ts'
import { type Line, type Look, type Span, span } from '../text/line.ts'
import { widthOf } from '../text/width.ts'
import { LABEL_COLUMNS, labelled } from './label.ts'
import type { FrameOptions } from './options.ts'

/** Widest and narrowest bar in columns. */
const BAR = { most: 50, least: 10 } as const

/**
 * Share of the candidate, of a worker by its instances: full blocks are what is confirmed, half-tone ones what is wanted
 * and not confirmed yet (or no longer wanted and still there).
 */
export function trafficLines({ rollout }: ServiceView, { columns }: FrameOptions): Line[] {
  if (rollout === null) return []
  const { desiredPermille, observedPermille } = rollout.weight
  const name = rollout.sharedBy === 'traffic' ? 'traffic' : 'share'
  const words = trafficWords(desiredPermille, observedPermille)
  const room = columns - LABEL_COLUMNS - 2 - widthOf(words.text)
  if (room < BAR.least) return [labelled(name, [words])]
  const cells = Math.min(BAR.most, room)
  return [labelled(name, [...bar(cells, desiredPermille, observedPermille), span('  '), words])]
}

function bar(cells: number, desired: number, observed: number | null): Span[] {
  const cellOf = (permille: number): number =>
    permille > 0 ? Math.max(1, Math.round((permille / TOTAL_PERMILLE) * cells)) : 0
  const confirmed = cellOf(Math.min(desired, observed ?? 0))
  const moving = Math.max(cellOf(desired), cellOf(observed ?? 0)) - confirmed
  return [
    span('█'.repeat(confirmed), 'accent'),
    span('▒'.repeat(moving), 'attention'),
    span('░'.repeat(cells - confirmed - moving), 'quiet'),
  ]
}

function trafficWords(desired: number, observed: number | null): Span {
  const look: Look = desired === observed ? 'plain' : 'attention'
  if (desired === observed) return span(`${formatWeight(desired)} on the candidate`, look)
  if (observed === null) return span(`${formatWeight(desired)} wanted, not confirmed yet`, look)
  return span(`${formatWeight(desired)} wanted, ${formatWeight(observed)} observed`, look)
}
