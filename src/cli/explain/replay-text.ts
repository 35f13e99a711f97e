import type { Difference, Replay } from '../../core/rollout/replay.ts'
import { type Line, quiet, span, strong } from '../text/line.ts'
import { count, plural } from '../text/number.ts'
import { clockTime } from '../text/time.ts'
import { wrap } from '../text/width.ts'

const INDENT = '  '

/** Equal, or each place where it is not. */
export function replayLines(
  { rollout, batches, verdicts, decisions, differences, isEqual }: Replay,
  columns: number,
): Line[] {
  const judged = `${plural(batches, 'batch', 'batches')} of ${rollout} judged again`
  if (isEqual)
    return wrap(
      `equal: ${judged}; ${plural(verdicts, 'verdict')} came out the same bit for bit, ${decisions === 0 ? 'none' : count(decisions)} of them behind a pause or a rollback.`,
      columns,
    ).map((text): Line => [span(text, 'good')])
  return [
    [strong(`differs: ${judged}; ${plural(differences.length, 'difference')}.`)],
    ...differences.flatMap((one) => differenceLines(one, columns)),
  ]
}

function differenceLines(
  { kind, batch, at, what, recorded, recomputed }: Difference,
  columns: number,
): Line[] {
  const time = at === null ? '' : ` at ${clockTime(at)} UTC`
  const of = (text: string): Line[] =>
    wrap(text, columns - INDENT.length).map((line): Line => [quiet(`${INDENT}${line}`)])
  return [
    ...wrap(`${WHERE[kind](batch)}${time}: ${what}`, columns).map((text): Line => [span(text, 'bad')]),
    ...of(`recorded   ${recorded}`),
    ...of(`recomputed ${recomputed}`),
  ]
}

const WHERE: Record<Difference['kind'], (batch: number) => string> = {
  batch: (batch) => `batch ${batch} does not follow from the counters`,
  decision: (batch) => `decision after batch ${batch}`,
  check: () => 'check at the end',
}
