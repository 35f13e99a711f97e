import type { ServiceView, StepView } from '../../core/rollout/view/view.ts'
import { formatDuration } from '../../core/shared/duration.ts'
import { type Line, quiet, type Span, span, strong } from '../text/line.ts'
import { span as duration, ticking } from '../text/time.ts'
import { continued, LABEL_COLUMNS, labelled, packed } from './label.ts'
import type { FrameOptions } from './options.ts'

const GAP = '  '

/** All steps in order with a marker on the active one; what does not fit on two lines is counted at the ends. */
export function stepRail({ rollout }: ServiceView, { columns, now }: FrameOptions): Line[] {
  if (rollout === null || rollout.steps.length === 0) return []
  const chips = rollout.steps.map((step) => chip(step, now))
  const active = rollout.steps.findIndex(({ state }) => state === 'active')
  const lastDone = rollout.steps.findLastIndex(({ state }) => state === 'done')
  const room = columns - LABEL_COLUMNS
  const lines = window(chips, {
    focus: active >= 0 ? active : Math.max(0, lastDone),
    room,
    rows: columns < 80 ? 3 : 2,
  })
  return lines.map((line, index) => (index === 0 ? labelled('steps', line) : continued(line)))
}

function chip(step: StepView, now: number): Span[] {
  const took = step.startedAt === null ? null : (step.endedAt ?? now) - step.startedAt
  switch (step.state) {
    case 'done':
      return [span('✓ ', 'good'), span(step.label), quiet(tookWords(step.label, took))]
    case 'active':
      return [span('▶ ', 'accent'), strong(step.label), span(progress(took, step.plannedMs), 'accent')]
    case 'skipped':
      return [quiet(`– ${step.label}`)]
    case 'planned':
      return [quiet(`· ${step.label}${plannedTime(step)}`)]
  }
}

/** Nothing for what took no time worth telling, or just the time its label promises. */
function tookWords(label: string, tookMs: number | null): string {
  if (tookMs === null || tookMs < 1000) return ''
  const took = duration(tookMs)
  return label.includes(took) ? '' : ` ${took}`
}

/** ` 4s of 10s`, or ` 13s, planned 10s` for one that waits for something else than its time. */
function progress(tookMs: number | null, plannedMs: number | null): string {
  if (tookMs === null) return ''
  const wholeMs = Math.floor(tookMs / 1000) * 1000
  if (plannedMs === null) return ` ${ticking(wholeMs)}`
  const planned = formatDuration(plannedMs)
  return wholeMs > plannedMs
    ? ` ${ticking(wholeMs)}, planned ${planned}`
    : ` ${ticking(wholeMs)} of ${planned}`
}

/** Labels such as `observe 10m` already say it. */
function plannedTime({ label, plannedMs }: StepView): string {
  if (plannedMs === null || plannedMs === 0 || label.includes(formatDuration(plannedMs))) return ''
  return ` ${formatDuration(plannedMs)}`
}

/** Packs the chips around the focus into the rows; grows to both sides for as long as it fits. */
function window(
  chips: readonly Span[][],
  { focus, room, rows }: { focus: number; room: number; rows: number },
): Span[][] {
  let from = focus
  let to = focus + 1
  for (;;) {
    const wider = [
      { from, to: Math.min(chips.length, to + 1) },
      { from: Math.max(0, from - 1), to },
    ].filter((next) => next.to - next.from > to - from)
    const fitting = wider.find((next) => packed(cutout(chips, next), room, GAP).length <= rows)
    if (fitting === undefined) return packed(cutout(chips, { from, to }), room, GAP)
    from = fitting.from
    to = fitting.to
  }
}

function cutout(chips: readonly Span[][], { from, to }: { from: number; to: number }): Span[][] {
  const before = from > 0 ? [[quiet(`… ${from} before`)]] : []
  const after = to < chips.length ? [[quiet(`${chips.length - to} more …`)]] : []
  return [...before, ...chips.slice(from, to), ...after]
}
