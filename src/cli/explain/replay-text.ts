import type { Difference, NotRecomputed, Replay } from '../../core/rollout/replay/replay.ts'
import { type Line, quiet, span, strong } from '../text/line.ts'
import { count, plural } from '../text/number.ts'
import { clockTime } from '../text/time.ts'
import { wrap } from '../text/width.ts'

const INDENT = '  '

/** Equal, or each place where it is not; then what could not be made again. */
export function replayLines(replay: Replay, columns: number): Line[] {
  return [
    ...standingLines(replay, columns),
    ...replay.notRecomputed.flatMap((one) => notRecomputedLines(one, columns)),
  ]
}

function standingLines(replay: Replay, columns: number): Line[] {
  const { verdicts, decisions, differences, standing } = replay
  const again = judged(replay)
  switch (standing) {
    case 'equal':
      return wrap(
        `equal: ${again}; ${plural(verdicts, 'verdict')} came out the same bit for bit, ${decisions === 0 ? 'none' : count(decisions)} of them behind a decision.`,
        columns,
      ).map((text): Line => [span(text, 'good')])
    case 'other-method':
      return wrap(otherMethod(replay), columns).map((text): Line => [strong(text)])
    case 'differs':
      return [
        ...wrap(`differs: ${again}; ${plural(differences.length, 'difference')}.`, columns).map(
          (text): Line => [strong(text)],
        ),
        ...differences.flatMap((one) => differenceLines(one, columns)),
      ]
  }
}

const judged = ({ rollout, batches, windows }: Replay): string => {
  const metrics = windows === 0 ? '' : ` and ${plural(windows, 'window')} of declared metrics`
  return `${plural(batches, 'batch', 'batches')}${metrics} of ${rollout} judged again`
}

const otherMethod = (replay: Replay): string =>
  `other method: ${judged(replay)}; it was judged by method ${replay.method.recorded.join(', then ')}, and this version judges by method ${replay.method.now}. ${plural(replay.differences.length, 'verdict')} would come out differently now, which says nothing about what is stored. Use the version of Sluice that judged it to compare bit for bit.`

/** A person's command is nobody's to repeat. */
function notRecomputedLines({ at, what, why }: NotRecomputed, columns: number): Line[] {
  return wrap(`not made again: ${what} at ${clockTime(at)} UTC, ${why}`, columns).map(
    (text): Line => [quiet(text)],
  )
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
