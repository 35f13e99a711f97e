import type { ServiceView } from '../core/rollout/view/view.ts'
import { abLines } from './frame/ab-lines.ts'
import { eventLines } from './frame/event-list.ts'
import {
  besidesLines,
  instanceLines,
  lightWatchLines,
  lossLines,
  troubleLines,
  waitingLines,
} from './frame/facts.ts'
import { digestLines, headlineLines } from './frame/headline.ts'
import { labelled } from './frame/label.ts'
import { newErrorLines } from './frame/new-errors.ts'
import { shadowLines } from './frame/shadow-lines.ts'
import { trafficLines } from './frame/traffic-bar.ts'
import { fitLine, type Line, quiet, span, strong } from './text/line.ts'
import { dateTime, span as duration } from './text/time.ts'

/** One service on part of a screen, not live. */
export function statusLines(view: ServiceView, { columns, now }: { columns: number; now: number }): Line[] {
  const options = {
    columns,
    rows: Number.POSITIVE_INFINITY,
    color: false,
    now,
    history: new Map(),
    panel: { kind: 'none' as const },
    away: null,
  }
  const running = view.rollout?.outcome === null
  const lines = [
    titleLine(view),
    [],
    ...headlineLines(view, options),
    ...digestLines(view, options),
    [],
    stableLine(view, now),
    ...(running ? trafficLines(view, options) : []),
    ...besidesLines(view, options),
    ...abLines(view.rollout?.ab, options),
    ...shadowLines(view.rollout?.shadow, options),
    ...waitingLines(view, options),
    ...lightWatchLines(view, options),
    ...troubleLines(view, options),
    ...newErrorLines(view.rollout),
    ...instanceLines(view, options),
    ...lossLines(view.rollout, options),
    [],
    ...eventLines(view),
    [],
  ]
  return lines.map((line) => fitLine(line, columns))
}

function titleLine({ service, environment, production, listen }: ServiceView): Line {
  return [
    strong(service),
    quiet(
      ` in ${environment}${production ? ', production' : ''}${listen === '' ? '' : `, takes traffic on ${listen}`}`,
    ),
  ]
}

function stableLine({ stable, rollout }: ServiceView, now: number): Line {
  if (stable === null && rollout === null)
    return labelled('stable', [
      span('nothing was deployed yet; '),
      strong('sluice deploy VERSION'),
      span(' releases the first version'),
    ])
  if (stable === null) return labelled('stable', [span('none yet')])
  return labelled('stable', [
    span(stable.version),
    quiet(` since ${dateTime(stable.since)} UTC, ${duration(now - stable.since)} ago`),
  ])
}
