import type { ServiceView } from '../../core/rollout/view/view.ts'
import { fitLine, type Line, paintLine } from '../text/line.ts'
import { checkTable } from './check-table.ts'
import { eventLines } from './event-list.ts'
import { exposureLines, instanceLines, lossLines, targetLines, troubleLines, waitingLines } from './facts.ts'
import { digestLines, headlineLines } from './headline.ts'
import { newErrorLines } from './new-errors.ts'
import type { FrameOptions } from './options.ts'
import { footLines, panelLines } from './panel.ts'
import { shadowLines } from './shadow-lines.ts'
import { stepRail } from './step-rail.ts'
import { trafficLines } from './traffic-bar.ts'

/**
 * The live view of one service as lines no wider than `columns` and no more than `rows - 1`.
 * Pure: the same view and options give the same lines.
 *
 * @example renderFrame(view, { columns: 80, rows: 24, color: false, now, history: new Map(), panel: { kind: 'legend' }, away: null })
 */
export function renderFrame(view: ServiceView, options: FrameOptions): string[] {
  const fitted = fitHeight(sectionsOf(view, options), Math.max(3, options.rows - 1))
  return fitted.map((line) => paintLine(fitLine(line, options.columns), options.color))
}

type SectionName =
  | 'headline'
  | 'digests'
  | 'traffic'
  | 'steps'
  | 'checks'
  | 'errors'
  | 'waiting'
  | 'instances'
  | 'targets'
  | 'exposure'
  | 'loss'
  | 'trouble'
  | 'panel'
  | 'foot'

/** `apart`: an empty line stands before it while there is room. */
type Section = { name: SectionName; lines: readonly Line[]; apart: boolean }

function sectionsOf(view: ServiceView, options: FrameOptions): Section[] {
  const section = (name: SectionName, lines: readonly Line[], apart = false): Section => ({
    name,
    lines,
    apart,
  })
  const panel = panelLines(view, options)
  const waiting = waitingLines(view, options)
  return [
    section('headline', headlineLines(view, options)),
    section('digests', digestLines(view, options)),
    section('traffic', [...trafficLines(view, options), ...shadowLines(view.rollout?.shadow, options)], true),
    section('steps', stepRail(view, options)),
    section('checks', checkTable(view, options), true),
    section('errors', newErrorLines(view.rollout)),
    section('waiting', waiting, true),
    section('trouble', troubleLines(view, options), waiting.length === 0),
    section('instances', instanceLines(view, options), waiting.length === 0),
    section('targets', targetLines(view, options)),
    section('exposure', exposureLines(view)),
    section('loss', lossLines(view.rollout, options)),
    section('panel', panel.length > 0 ? panel : eventLines(view), true),
    section('foot', footLines(view, options), true),
  ].filter(({ lines }) => lines.length > 0)
}

/** What gives way first when the terminal is low: section and the lines it keeps. */
const GIVING_WAY: readonly (readonly [SectionName, number])[] = [
  ['panel', 3],
  ['exposure', 0],
  ['targets', 0],
  ['steps', 1],
  ['checks', 3],
  ['panel', 1],
  ['errors', 1],
  ['digests', 0],
  ['loss', 0],
  ['errors', 0],
  ['checks', 0],
  ['instances', 0],
  ['panel', 0],
  ['headline', 1],
  ['steps', 0],
  ['trouble', 1],
  ['waiting', 0],
  ['trouble', 0],
  ['foot', 1],
]

function fitHeight(sections: Section[], rows: number): Line[] {
  const airy = sections.flatMap(({ lines, apart }) => (apart ? [[], ...lines] : [...lines]))
  if (airy.length <= rows) return airy
  let kept = sections
  for (const [name, least] of GIVING_WAY) {
    const excess = heightOf(kept) - rows
    if (excess <= 0) break
    kept = kept.map((section) => (section.name === name ? shorten(section, least, excess) : section))
  }
  return kept.flatMap(({ lines }) => lines).slice(0, rows)
}

const heightOf = (sections: readonly Section[]): number =>
  sections.reduce((sum, { lines }) => sum + lines.length, 0)

/** Events lose their oldest lines, everything else its last ones. */
function shorten(section: Section, least: number, excess: number): Section {
  const keep = Math.max(least, section.lines.length - excess)
  if (keep >= section.lines.length) return section
  const lines =
    section.name === 'panel' && keep > 0 ? section.lines.slice(-keep) : section.lines.slice(0, keep)
  return { ...section, lines }
}
