import type { RolloutView } from '../../core/rollout/view/view.ts'
import { type Line, quiet, span } from '../text/line.ts'
import { plural } from '../text/number.ts'
import { continued, labelled } from './label.ts'

/** Kinds that are told one by one; the timeline and `--json` have the others. */
const SHOWN = 3

/** What the candidate writes and stable does not: how often, and the line as it was written. */
export function newErrorLines(rollout: RolloutView | null): Line[] {
  if (rollout === null) return []
  const { newErrors } = rollout
  const hidden = newErrors.length - SHOWN
  const lines = newErrors
    .slice(0, SHOWN)
    .map(({ count, example, isShown }) => [
      span(`${plural(count, 'time')} `, isShown ? 'bad' : 'attention'),
      span(example),
    ])
  return [
    ...lines.map((line, index) => (index === 0 ? labelled('new error', line) : continued(line))),
    ...(hidden > 0 ? [continued([quiet(`and ${plural(hidden, 'more kind')}`)])] : []),
  ]
}
